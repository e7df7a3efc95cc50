package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenEstimator;
import java.util.Optional;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import scala.Tuple3;

/**
 * What requests would take.
 *
 * @param promptTokensEstimate estimate of all tokens read
 * @param completionTokensAtMost tokens written if every reply took its whole length
 * @param costUsdAtMost cost in that case; empty where there is no price
 */
public record RequestPlan(
    long promptTokensEstimate, long completionTokensAtMost, Optional<Double> costUsdAtMost) {

  /** Of these and other requests; a cost that nobody knows makes none of the sum. */
  public RequestPlan plus(RequestPlan other) {
    return new RequestPlan(
        promptTokensEstimate + other.promptTokensEstimate,
        completionTokensAtMost + other.completionTokensAtMost,
        costUsdAtMost.flatMap(cost -> other.costUsdAtMost.map(more -> cost + more)));
  }

  /**
   * A plan with the number of requests that it is of.
   *
   * @param requests how many there are
   */
  public record Counted(long requests, RequestPlan plan) {}

  /**
   * Reckons the plan, in one look at the requests; asks for nothing.
   *
   * @param requests one a row, as {@link RequestCodec} writes them
   */
  public static Counted of(Dataset<String> requests, TeacherOptions options) {
    Row sums =
        requests
            .map(
                new CountTokens(TeacherAccess.modelName(options)),
                Encoders.tuple(Encoders.LONG(), Encoders.LONG(), Encoders.LONG()))
            .agg(total("_1"), total("_2"), total("_3"), functions.count(functions.lit(1)))
            .head();
    var plan =
        new RequestPlan(
            sums.getLong(0),
            sums.getLong(2),
            TeacherAccess.price(options)
                .map(price -> price.costUsd(sums.getLong(1), 0, sums.getLong(2)).doubleValue()));
    return new Counted(sums.getLong(3), plan);
  }

  private static Column total(String column) {
    return functions.coalesce(functions.sum(column), functions.lit(0L));
  }

  /** What a request's prompt will likely take, what it can take at most, and its reply at most. */
  private static final class CountTokens implements MapFunction<String, Tuple3<Long, Long, Long>> {
    private static final long serialVersionUID = 1L;

    private final String model;
    private transient @Nullable TokenEstimator tokens;

    CountTokens(String model) {
      this.model = model;
    }

    @Override
    public Tuple3<Long, Long, Long> call(String line) {
      if (tokens == null) {
        tokens = TokenEstimator.of(model);
      }
      TeacherRequest request = RequestCodec.fromJson(line);
      return new Tuple3<>(
          (long) tokens.promptTokens(request),
          (long) tokens.mostPromptTokens(request),
          (long) tokens.mostCompletionTokens(request));
    }
  }
}
