package dev.distillery.jobs.complete;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenEstimator;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.PaidReplies;
import dev.distillery.spark.fanout.RequestCodec;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import scala.Tuple3;

/**
 * Job `complete`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * TeacherOptions teacher =
 *     TeacherOptions.builder().teacher(TeacherKind.GGUF).model("model.gguf").build();
 * CompleteOptions options =
 *     CompleteOptions.builder().teacher(teacher).input(List.of("prompts.jsonl")).build();
 * CompleteSummary summary = new CompleteJob().run(spark, options);
 * Dataset<Row> answers = spark.read().parquet(summary.tables().get("completions").path());
 * }</pre>
 */
public final class CompleteJob implements Job<CompleteOptions, CompleteSummary> {
  @Override
  public String name() {
    return "complete";
  }

  @Override
  public String purpose() {
    return "Ask any teacher to answer prompts, dialogues or instructions.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Asks the teacher once for each row and sample. Replies are in the run's ledger as they
        come; a run that is given the same --run-id again asks only for the rest.
        """,
        "rows with a column prompt, messages, or instruction (with input); tools, definitions of "
            + "functions that a server's model may call.",
        "completions (id, source and license are those of the row asked about; further columns of"
            + " it by --keep-columns), rejects (rows with nothing to ask, or with what the teacher"
            + " cannot be shown), duplicates (rows that equal another one, which is asked about"
            + " once).",
        "distillery complete --input instructions --samples 2 --temperature 0.7 --teacher openai"
            + " --model gpt-4o-mini --max-cost-usd 5");
  }

  @Override
  public Class<CompleteOptions> optionsType() {
    return CompleteOptions.class;
  }

  @Override
  public Class<CompleteSummary> summaryType() {
    return CompleteSummary.class;
  }

  @Override
  public RunOptions runOptions(CompleteOptions options) {
    return options.run();
  }

  @Override
  public List<TableRef> inputs(CompleteOptions options) {
    return TableRef.parse(
        Stream.concat(options.input().stream(), options.reuseCompletions().stream()).toList());
  }

  @Override
  public Outcome<CompleteSummary> perform(JobRun run, CompleteOptions options) {
    String model = TeacherAccess.modelName(options.teacher());
    boolean chat = options.teacher().api() == TeacherOptions.Api.CHAT;
    var rows = new PromptRows(PromptRows.Form.of(options, model, chat));
    try (AskedRows all = AskedRows.read(run, options)) {
      return ask(run, options, model, rows, all);
    }
  }

  private static Outcome<CompleteSummary> ask(
      JobRun run, CompleteOptions options, String model, PromptRows rows, AskedRows all) {
    Dataset<String> requests = all.toAsk().flatMap(rows, Encoders.STRING());
    if (run.dryRun()) {
      return TeacherAccess.tried(run, options.teacher(), plan(run, requests, options, model));
    }
    Optional<Dataset<Row>> reusable = PaidReplies.of(run, options.reuseCompletions());
    Dataset<Row> taken = reusable.map(other -> taken(other, requests)).orElse(null);
    Dataset<String> open = taken == null ? requests : without(requests, taken);
    long reused = taken == null ? 0 : taken.count();
    long asked = requests.count();
    try (Fanout fanout = TeacherAccess.open(run, options.teacher())) {
      FanoutStop stop = null;
      try {
        fanout.ask(open, run.progress());
      } catch (JobException e) {
        stop = fanout.stopped().orElseThrow(() -> e);
        if (!run.publishesPartial()) {
          return Outcome.stopped(
              stop.exitCode(), stop.message(), summary(run, asked, reused, fanout));
        }
      }
      Dataset<Row> completions = fanout.completions(open);
      long kept =
          run.write(
              Tables.COMPLETIONS,
              all.answered(taken == null ? completions : completions.unionByName(taken)));
      options.prompt().ifPresent(prompt -> print(run));
      options.logprobs().ifPresent(count -> tellOfMissing(run));
      Map<String, Long> rejects = reject(run, all);
      long duplicates = writeDuplicates(run, all.duplicates());
      // A row with nothing to ask would have been a request, and so would one that equals another.
      long in = asked + duplicates + rejects.values().stream().mapToLong(Long::longValue).sum();
      CompleteSummary summary = summary(run, asked, reused, fanout);
      RowAccount account =
          RowAccount.of("requests", in, kept).rejects(rejects).duplicates(duplicates);
      return stop == null
          ? Outcome.done(summary, account)
          : Outcome.stopped(stop.exitCode(), stop.message(), summary)
              .with(account.leftOver(asked - kept));
    }
  }

  private static Map<String, Long> reject(JobRun run, AskedRows all) {
    Dataset<Row> rows = all.toReject();
    return rows.isEmpty() ? Map.of() : run.reject(rows, all.rule(), all.detail());
  }

  private static long writeDuplicates(JobRun run, Dataset<Row> rows) {
    long duplicates = rows.isEmpty() ? 0 : run.write(Tables.DUPLICATES, rows);
    if (duplicates > 0) {
      run.progress().say(duplicates + " rows equal another one and were asked about once");
    }
    return duplicates;
  }

  /** A server may pass over a field that it does not know. */
  private static void tellOfMissing(JobRun run) {
    long without =
        run.staged(Tables.COMPLETIONS.name()).where("status = 'ok' AND logprobs IS NULL").count();
    if (without > 0) {
      run.progress()
          .say("Warning: the teacher gave no log-probabilities with " + without + " replies");
    }
  }

  /** Replies of other runs to the very same requests. */
  private static Dataset<Row> taken(Dataset<Row> others, Dataset<String> requests) {
    return others.join(
        ids(requests).select("request_id"), new String[] {"request_id"}, "left_semi");
  }

  private static Dataset<String> without(Dataset<String> requests, Dataset<Row> taken) {
    return ids(requests)
        .join(taken.select("request_id"), new String[] {"request_id"}, "left_anti")
        .select("value")
        .as(Encoders.STRING());
  }

  private static Dataset<Row> ids(Dataset<String> requests) {
    return requests.select(
        functions.get_json_object(functions.col("value"), "$.request_id").as("request_id"),
        functions.col("value"));
  }

  private static CompleteSummary summary(JobRun run, long requests, long reused, Fanout fanout) {
    return new CompleteSummary(
        run.summary(),
        requests,
        Optional.of(reused),
        Optional.of(fanout.figures()),
        Optional.empty());
  }

  private static CompleteSummary plan(
      JobRun run, Dataset<String> requests, CompleteOptions options, String model) {
    Row sums =
        requests
            .map(
                new CountTokens(model),
                Encoders.tuple(Encoders.LONG(), Encoders.LONG(), Encoders.LONG()))
            .agg(functions.count("*"), total("_1"), total("_2"), total("_3"))
            .head();
    var plan =
        new CompleteSummary.Plan(
            sums.getLong(1),
            sums.getLong(3),
            TeacherAccess.price(options.teacher())
                .map(price -> price.costUsd(sums.getLong(2), 0, sums.getLong(3)).doubleValue()));
    return new CompleteSummary(
        run.summary(), sums.getLong(0), Optional.empty(), Optional.empty(), Optional.of(plan));
  }

  private static Column total(String column) {
    return functions.coalesce(functions.sum(column), functions.lit(0L));
  }

  /** Prints the answers to a single prompt, for a person. */
  private static void print(JobRun run) {
    for (Row row :
        run.staged(Tables.COMPLETIONS.name())
            .orderBy("request_id")
            .select("text", "error")
            .collectAsList()) {
      System.out.println(row.isNullAt(0) ? row.getString(1) : row.getString(0));
    }
  }

  /** What a request's prompt will likely take, what it can take at most, and its reply at most. */
  private static final class CountTokens implements MapFunction<String, Tuple3<Long, Long, Long>> {
    private static final long serialVersionUID = 1L;

    private final String model;
    private transient @org.jspecify.annotations.Nullable TokenEstimator tokens;

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
