package dev.distillery.jobs.logprobs;

import static org.apache.spark.sql.functions.aggregate;
import static org.apache.spark.sql.functions.array_compact;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Job `logprobs`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * LogprobsOptions options =
 *     LogprobsOptions.builder().model("student.gguf").input(List.of("texts.jsonl")).build();
 * LogprobsSummary summary = new LogprobsJob().run(spark, options);
 * System.out.println("Perplexity " + summary.perplexity().orElseThrow());
 * Dataset<Row> rows = spark.read().parquet(summary.tables().get("logprobs").path());
 * }</pre>
 */
public final class LogprobsJob implements Job<LogprobsOptions, LogprobsSummary> {
  private static final Table TEXTS =
      new Table(
          "texts",
          "A text, or the token ids of one.",
          new StructType()
              .add("id", DataTypes.StringType, false, "Stable hash of the row")
              .add("text", DataTypes.StringType, true, "Text to score")
              .add(
                  "token_ids",
                  DataTypes.createArrayType(DataTypes.LongType),
                  true,
                  "Token ids to score; they stand over the text"));

  /** Rows of one length are rare, so there are more partitions than cores. */
  private static final int PARTITIONS_A_CORE = 4;

  @Override
  public String name() {
    return "logprobs";
  }

  @Override
  public String purpose() {
    return "Say how likely the student finds each token of given texts.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Gives the natural logarithm of the probability of each token after those before it. The
        first token stands after BOS (EOS where the model has no BOS), as in
        lm-evaluation-harness; where a row begins with that token itself, the first
        log-probability is null. A text's special tokens are read as such. Executors hold one copy
        of the model each; the same row gets the same figures on any number of them.
        """,
        "rows of id and text, or of id and token_ids, which stand over the text.",
        "logprobs (id, token_ids, logprobs), rejects (rules empty, token_id_out_of_range, "
            + "longer_than_context), and --output, the same rows as JSONL, by id.",
        "distillery logprobs --model out/sft --input texts.jsonl --output logprobs.jsonl");
  }

  @Override
  public Class<LogprobsOptions> optionsType() {
    return LogprobsOptions.class;
  }

  @Override
  public Class<LogprobsSummary> summaryType() {
    return LogprobsSummary.class;
  }

  @Override
  public RunOptions runOptions(LogprobsOptions options) {
    return options.run();
  }

  @Override
  public void check(LogprobsOptions options) {
    try {
      Student.open(java.nio.file.Path.of(options.model()), 0).close();
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public List<TableRef> inputs(LogprobsOptions options) {
    return TableRef.parse(options.input());
  }

  @Override
  public Outcome<LogprobsSummary> perform(JobRun run, LogprobsOptions options) throws IOException {
    Optional<Path> output = options.output().map(Path::new);
    if (output.isPresent()) {
      checkReplaceable(run, options, output.get());
    }
    SparkContext context = run.spark().sparkContext();
    var model = java.nio.file.Path.of(options.model());
    String hash = ModelHash.of(model);
    ShippedModel.ship(context, options.model());
    int threads = context.isLocal() ? 0 : context.getConf().getInt("spark.executor.cores", 0);
    Dataset<Row> texts = run.inputColumns(options.input(), TEXTS);
    Dataset<Row> tokens =
        texts
            .withColumn("row", to_json(struct("*")))
            .map(
                new LogprobsRows(options.model(), hash, threads),
                Encoders.row(LogprobsRows.SCHEMA));
    long read = texts.count();
    Map<String, Long> rejects = rejectsByRule(tokens);
    if (run.dryRun()) {
      LogprobsSummary plan = plan(run, tokens, read);
      return Outcome.done(plan, RowAccount.of("rows", read, plan.rowsScored()).rejects(rejects));
    }
    run.note("model", model.getFileName() + ", SHA-256 " + hash);
    long scored =
        run.write(
            Tables.LOGPROBS,
            tokens
                .where(col("rule").isNull())
                .repartition(context.defaultParallelism() * PARTITIONS_A_CORE, col("id"))
                .map(
                    new ScoreRows(options.model(), hash, threads),
                    Encoders.row(Tables.LOGPROBS.schema())));
    if (!rejects.isEmpty()) {
      run.reject(tokens.where(col("rule").isNotNull()), col("rule"), col("detail"), col("row"));
    }
    if (output.isPresent()) {
      export(run, output.get());
    }
    return Outcome.done(summary(run, read), RowAccount.of("rows", read, scored).rejects(rejects));
  }

  private static void checkReplaceable(JobRun run, LogprobsOptions options, Path output)
      throws IOException {
    FileSystem files = output.getFileSystem(run.warehouse().hadoop());
    if (!files.exists(output)) {
      return;
    }
    if (!run.overwrites()) {
      throw JobException.invalid(
          "Option --output: "
              + output
              + " is there already; choose another, or give --overwrite to replace it");
    }
    boolean input =
        Arrays.stream(run.inputColumns(options.input(), TEXTS).inputFiles())
            .map(file -> files.makeQualified(new Path(URI.create(file))))
            .anyMatch(files.makeQualified(output)::equals);
    if (files.getFileStatus(output).isDirectory() || input) {
      throw JobException.invalid(
          "Option --output: "
              + output
              + " is "
              + (input ? "of the input" : "a folder")
              + ", which --overwrite does not replace; choose another");
    }
  }

  /** A dry run tokenises and scores nothing. */
  private static LogprobsSummary plan(JobRun run, Dataset<Row> tokens, long read) {
    Row sums =
        tokens
            .where(col("rule").isNull())
            .agg(count(lit(1)), coalesce(sum(size(col("token_ids"))), lit(0L)))
            .head();
    return LogprobsSummary.of(
        run.summary(), read, sums.getLong(0), sums.getLong(1), Optional.empty());
  }

  private static Map<String, Long> rejectsByRule(Dataset<Row> tokens) {
    Map<String, Long> rejects = new TreeMap<>();
    for (Row row : tokens.where(col("rule").isNotNull()).groupBy("rule").count().collectAsList()) {
      rejects.put(row.getString(0), row.getLong(1));
    }
    return rejects;
  }

  /** Sums of a row are taken in its order, those of rows exactly: partitions change nothing. */
  private static LogprobsSummary summary(JobRun run, long read) {
    Column known = array_compact(col("logprobs"));
    Column ofRow = aggregate(known, lit(0.0), (total, next) -> total.plus(next));
    Row sums =
        run.staged(Tables.LOGPROBS.name())
            .agg(
                count(lit(1)),
                coalesce(sum(size(known)), lit(0L)),
                coalesce(sum(ofRow.cast("decimal(38,12)")).cast("double"), lit(0.0)))
            .head();
    return LogprobsSummary.of(
        run.summary(), read, sums.getLong(0), sums.getLong(1), Optional.of(sums.getDouble(2)));
  }

  /** Writes the rows by id, a partition of them in memory at a time. */
  private static void export(JobRun run, Path file) throws IOException {
    FileSystem files = file.getFileSystem(run.warehouse().hadoop());
    Path unfinished = file.suffix("." + run.id() + ".tmp");
    Iterator<String> lines =
        run.staged(Tables.LOGPROBS.name()).orderBy("id", "token_ids").toJSON().toLocalIterator();
    try (var out =
        new BufferedWriter(
            new OutputStreamWriter(files.create(unfinished, true), StandardCharsets.UTF_8))) {
      while (lines.hasNext()) {
        out.write(lines.next());
        out.write('\n');
      }
    }
    replace(run, unfinished, file);
  }

  /** Hadoop's own rename over a file that is there differs from one file system to the next. */
  private static void replace(JobRun run, Path unfinished, Path file) throws IOException {
    FileSystem files = file.getFileSystem(run.warehouse().hadoop());
    if (run.overwrites()) {
      files.delete(file, false);
    }
    if (!files.rename(unfinished, file)) {
      throw new IOException("Cannot rename " + unfinished + " to " + file);
    }
  }
}
