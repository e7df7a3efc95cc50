package dev.distillery.jobs.complete;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenEstimator;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.RequestCodec;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.Tables;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
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
  private static final String FILE = "_file";
  private static final String RANK = "_rank";
  private static final String ROW = "_row";

  /** What a row of the input may have; at least one of prompt, messages and instruction. */
  private static final Table PROMPTS =
      new Table(
          "prompts",
          "One prompt, dialogue or instruction to be answered.",
          new StructType()
              .add("id", DataTypes.StringType, false, "Stable hash of the row")
              .add("prompt", DataTypes.StringType, true, "Text to answer or continue")
              .add("messages", MessageRows.TYPE, true, "Dialogue to answer")
              .add("instruction", DataTypes.StringType, true, "Task to do")
              .add("input", DataTypes.StringType, true, "What the task is about")
              .add(
                  TableReader.UNREADABLE,
                  DataTypes.StringType,
                  true,
                  "Why the messages cannot be read")
              .add("source", DataTypes.StringType, true, "Name of the source")
              .add("license", DataTypes.StringType, true, "SPDX expression, or NOASSERTION"));

  /** What makes two rows the same question: all but where they come from. */
  private static final Column[] QUESTION =
      Stream.of("id", "prompt", "messages", "instruction", "input", TableReader.UNREADABLE)
          .map(functions::col)
          .toArray(Column[]::new);

  /** The rule that rejects a row, or null. */
  private static final Column RULE =
      when(col(TableReader.UNREADABLE).isNotNull(), lit("unreadable_messages"))
          .when(
              coalesce(col("prompt"), col("instruction"))
                  .isNull()
                  .and(coalesce(size(col("messages")), lit(0)).leq(0)),
              lit("nothing_to_ask"));

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
        Asks the teacher once for each row and sample. Replies are in the run's ledger within a
        second; a run that is given the same --run-id again asks only for the rest.
        """,
        "rows with a column prompt, messages, or instruction (with input).",
        "completions (id, source and license are those of the row asked about; further columns of it by --keep-columns), rejects (rows with nothing to ask).",
        "distillery complete --input instructions --samples 2 --temperature 0.7 --teacher openai --model gpt-4o-mini --max-cost-usd 5");
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
  public Outcome<CompleteSummary> perform(JobRun run, CompleteOptions options) {
    String model = TeacherAccess.modelName(options.teacher());
    boolean chat = options.teacher().api() == TeacherOptions.Api.CHAT;
    var rows = new PromptRows(PromptRows.Form.of(options, model, chat));
    Dataset<Row> all = prompts(run, options);
    Dataset<String> requests = all.where(RULE.isNull()).flatMap(rows, Encoders.STRING());
    if (run.dryRun()) {
      return Outcome.done(plan(run, requests, options, model));
    }
    Optional<Dataset<Row>> reusable = reusable(run, options);
    Dataset<Row> taken = reusable.map(other -> taken(other, requests)).orElse(null);
    Dataset<String> open = taken == null ? requests : without(requests, taken);
    long reused = taken == null ? 0 : taken.count();
    try (Fanout fanout = TeacherAccess.open(run, options.teacher())) {
      try {
        fanout.ask(open, run.progress());
      } catch (JobException e) {
        FanoutStop stop = fanout.stopped().orElseThrow(() -> e);
        return Outcome.stopped(
            stop.exitCode(), stop.message(), summary(run, requests.count(), reused, fanout));
      }
      Dataset<Row> completions = fanout.completions(open);
      long kept =
          run.write(
              Tables.COMPLETIONS,
              withRows(taken == null ? completions : completions.unionByName(taken), all, options));
      options.prompt().ifPresent(prompt -> print(run));
      Map<String, Long> rejects = reject(run, all.where(RULE.isNotNull()));
      long asked = requests.count();
      // A row with nothing to ask would have been a request.
      long in = asked + rejects.values().stream().mapToLong(Long::longValue).sum();
      return Outcome.done(
          summary(run, asked, reused, fanout),
          RowAccount.of("requests", in, kept).rejects(rejects));
    }
  }

  private static Dataset<Row> prompts(JobRun run, CompleteOptions options) {
    if (options.prompt().isPresent()) {
      String prompt = options.prompt().get();
      return run.spark()
          .createDataFrame(
              List.of(
                  RowFactory.create(
                      StableIds.of(prompt),
                      prompt,
                      null,
                      null,
                      null,
                      null,
                      "prompt",
                      Licenses.NOASSERTION)),
              PROMPTS.schema());
    }
    Dataset<Row> read = columns(run, options).withColumn(FILE, input_file_name());
    // The same question twice is one row: its requests would have the same ids.
    var order = Window.partitionBy(QUESTION).orderBy(to_json(struct(carried(options))));
    Dataset<Row> all =
        read.withColumn(RANK, functions.row_number().over(order))
            .where(col(RANK).equalTo(1))
            .drop(FILE, RANK);
    if (!all.isEmpty() && all.where(RULE.isNull()).isEmpty()) {
      throw JobException.invalid(
          "No row of " + options.input() + " has a prompt, messages or an instruction");
    }
    checkIds(read);
    return all;
  }

  /** The columns that are asked, and those that are kept. */
  private static Dataset<Row> columns(JobRun run, CompleteOptions options) {
    Dataset<Row> read = run.inputs(options.input(), PROMPTS);
    List<String> present = List.of(read.columns());
    List<String> missing =
        options.keepColumns().stream().filter(name -> !present.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw JobException.invalid(
          "Option --keep-columns: no column "
              + missing
              + " in "
              + options.input()
              + "; its columns are "
              + present.stream().filter(name -> !name.equals(TableReader.UNREADABLE)).toList());
    }
    return read.select(
        Stream.concat(Arrays.stream(PROMPTS.schema().fieldNames()), options.keepColumns().stream())
            .distinct()
            .map(CompleteJob::quoted)
            .toArray(Column[]::new));
  }

  /** What a completion carries of the row asked about, besides its id. */
  private static Column[] carried(CompleteOptions options) {
    return Stream.concat(Stream.of("source", "license"), options.keepColumns().stream())
        .distinct()
        .map(CompleteJob::quoted)
        .toArray(Column[]::new);
  }

  private static Column quoted(String name) {
    return col("`" + name + "`");
  }

  /** Completions with what they carry of the rows asked about. */
  private static Dataset<Row> withRows(
      Dataset<Row> completions, Dataset<Row> all, CompleteOptions options) {
    Dataset<Row> rows =
        all.where(RULE.isNull()).select(col("id"), struct(carried(options)).as(ROW));
    return completions
        .drop("source", "license")
        .join(rows, new String[] {"id"}, "left")
        .select(col("*"), col(ROW + ".*"))
        .drop(ROW);
  }

  /** Completions are joined to rows by id, so that an id must not stand for two questions. */
  private static void checkIds(Dataset<Row> read) {
    Column asked = to_json(struct("prompt", "messages", "instruction", "input"));
    List<Row> twice =
        read.groupBy("id")
            .agg(
                functions.min(asked).as("least"),
                functions.max(asked).as("most"),
                functions.min(FILE).as("first"),
                functions.max(FILE).as("last"))
            .where(col("least").notEqual(col("most")))
            .sort("id")
            .limit(1)
            .collectAsList();
    if (!twice.isEmpty()) {
      Row row = twice.get(0);
      String first = row.getString(3);
      String last = row.getString(4);
      throw JobException.invalid(
          "The id '"
              + row.getString(0)
              + "' stands for different questions in "
              + (first.equals(last) ? first : first + " and " + last)
              + ": give each row an id of its own, or leave the column out");
    }
  }

  private static Map<String, Long> reject(JobRun run, Dataset<Row> rows) {
    return rows.isEmpty()
        ? Map.of()
        : run.reject(
            rows,
            RULE,
            coalesce(
                col(TableReader.UNREADABLE),
                lit("The row has no prompt, no messages and no instruction")));
  }

  private static Optional<Dataset<Row>> reusable(JobRun run, CompleteOptions options) {
    return options.reuseCompletions().isEmpty()
        ? Optional.empty()
        : Optional.of(
            // What the rows may be used for is decided by the rows that are asked about now.
            run.inputsOfAnyLicense(options.reuseCompletions(), Tables.COMPLETIONS)
                .select(
                    Arrays.stream(Tables.COMPLETIONS.schema().fieldNames())
                        .map(functions::col)
                        .toArray(Column[]::new))
                .where("status = 'ok'")
                .dropDuplicates("request_id"));
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
