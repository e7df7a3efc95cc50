package dev.distillery.jobs.complete;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherAccessOptions;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.PartedRequests;
import dev.distillery.spark.fanout.RequestPlan;
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
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

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
  public Map<String, String> contents(CompleteOptions options, Configuration hadoop) {
    return TeacherAccess.fingerprint(options.teacher())
        .map(hash -> Map.of("model content", hash))
        .orElse(Map.of());
  }

  @Override
  public Outcome<CompleteSummary> perform(JobRun run, CompleteOptions options) {
    String model = TeacherAccess.modelName(options.teacher());
    boolean chat = options.teacher().access().api() == TeacherAccessOptions.Api.CHAT;
    var rows = new PromptRows(PromptRows.Form.of(options, model, chat));
    try (AskedRows all = AskedRows.read(run, options)) {
      return ask(run, options, rows, all);
    }
  }

  private static Outcome<CompleteSummary> ask(
      JobRun run, CompleteOptions options, PromptRows rows, AskedRows all) {
    Dataset<String> requests = all.toAsk().flatMap(rows, Encoders.STRING());
    var parted = PartedRequests.of(run, requests, options.reuseCompletions());
    long reused = parted.reused();
    if (run.dryRun()) {
      return TeacherAccess.tried(
          run, options.teacher(), options.extraBody(), plan(run, parted.open(), reused, options));
    }
    long asked = parted.count();
    try (Fanout fanout = TeacherAccess.open(run, options.teacher(), options.extraBody())) {
      FanoutStop stop = null;
      try {
        fanout.ask(parted.open(), run.progress());
      } catch (JobException e) {
        stop = fanout.stopped().orElseThrow(() -> e);
        if (!run.publishesPartial()) {
          return Outcome.stopped(
              stop.exitCode(), stop.message(), summary(run, asked, reused, fanout));
        }
      }
      long kept = run.write(Tables.COMPLETIONS, all.answered(parted.completions(fanout)));
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

  private static CompleteSummary summary(JobRun run, long requests, long reused, Fanout fanout) {
    return new CompleteSummary(
        run.summary(),
        requests,
        Optional.of(reused),
        Optional.of(fanout.figures()),
        Optional.empty());
  }

  private static CompleteSummary plan(
      JobRun run, Dataset<String> open, long reused, CompleteOptions options) {
    RequestPlan.Counted asked = RequestPlan.of(open, options.teacher());
    return new CompleteSummary(
        run.summary(),
        asked.requests() + reused,
        Optional.of(reused),
        Optional.empty(),
        Optional.of(asked.plan()));
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
}
