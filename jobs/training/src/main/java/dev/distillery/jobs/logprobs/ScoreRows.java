package dev.distillery.jobs.logprobs;

import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.training.student.SharedStudent;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;

/** Scores rows of {@link LogprobsRows#SCHEMA} into rows of the table {@code logprobs}. */
final class ScoreRows implements MapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  private final String model;
  private final String hash;
  private final int threads;

  ScoreRows(String model, String hash, int threads) {
    this.model = model;
    this.hash = hash;
    this.threads = threads;
  }

  @Override
  public Row call(Row row) {
    List<Integer> ids = row.getList(1);
    int[] tokens = ids.stream().mapToInt(Integer::intValue).toArray();
    return RowFactory.create(
        row.getString(0),
        ids.toArray(Integer[]::new),
        SharedStudent.with(
            model, hash, threads, (student, scorer) -> logprobs(student, scorer, tokens)));
  }

  /**
   * The log-probability of each token after those before it. The first stands after BOS (EOS where
   * there is no BOS), as in lm-evaluation-harness; its own is null where it is that token itself,
   * or the model has none.
   */
  private static @Nullable Double[] logprobs(
      Student student, ContinuationScorer scorer, int[] ids) {
    OptionalInt start = student.textStart();
    boolean begins = start.isEmpty() || start.getAsInt() == ids[0];
    int[] context = {begins ? ids[0] : start.getAsInt()};
    int[] rest = begins ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    @Nullable Double[] logprobs = new Double[ids.length];
    if (rest.length > 0) {
      double[] scores = scorer.score(context, rest).logProbs();
      for (int i = 0; i < scores.length; i++) {
        logprobs[ids.length - rest.length + i] = scores[i];
      }
    }
    return logprobs;
  }
}
