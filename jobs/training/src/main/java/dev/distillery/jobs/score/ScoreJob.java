package dev.distillery.jobs.score;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.reward.ScoreAnswers;
import dev.distillery.training.reward.SharedReward;
import dev.distillery.training.tokens.TemplateChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Job `score`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * ScoreOptions options =
 *     ScoreOptions.builder().model("out/reward").input(List.of("completions")).bestOf(4).build();
 * ScoreSummary summary = new ScoreJob().run(spark, options);
 * System.out.println("Best of 4: " + summary.bestOf().orElseThrow().meanOfBest());
 * Dataset<Row> rows = spark.read().parquet(summary.tables().get("scores").path());
 * }</pre>
 */
public final class ScoreJob implements Job<ScoreOptions, ScoreSummary> {
  /** The tables of answers, by a column that tells the files of each. */
  private static final Map<String, Table> TELLING = new LinkedHashMap<>();

  static {
    TELLING.put("chosen", Tables.PREFERENCES);
    TELLING.put("messages", Tables.CONVERSATIONS);
    TELLING.put("request_id", Tables.COMPLETIONS);
    TELLING.put("instruction", Tables.INSTRUCTIONS);
    TELLING.put("answer", Tables.ROLLOUTS);
  }

  /** Answers differ in length, so there are more partitions than cores. */
  private static final int PARTITIONS_A_CORE = 4;

  private static final int HASH = 12;

  @Override
  public String name() {
    return "score";
  }

  @Override
  public String purpose() {
    return "Let a reward model score answers, and choose the best of several.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Gives each answer of a table the number that a reward model has for it. A score is read
        where an answer ends: an answer that ended by itself is closed by the template's mark
        first, one that was cut (finish_reason length) is scored as it is. It depends on nothing
        but prompt and answer. With --best-of N the answer that scores highest among the first N
        to each prompt is written too: what a policy reaches without training, at a divergence of
        log N - (N - 1) / N. The prompt of a rollout is read with its marks, as the policy read it.
        """,
        "completions, preferences, conversations (last turn), instructions or rollouts, or files"
            + " with their columns.",
        "scores; best_of with --best-of; rejects (rules no_answer, no_prompt, failed,"
            + " not_in_template, longer_than_context).",
        "distillery score --model out/reward --input completions --best-of 4");
  }

  @Override
  public Class<ScoreOptions> optionsType() {
    return ScoreOptions.class;
  }

  @Override
  public Class<ScoreSummary> summaryType() {
    return ScoreSummary.class;
  }

  @Override
  public RunOptions runOptions(ScoreOptions options) {
    return options.run();
  }

  @Override
  public void check(ScoreOptions options) {
    Path model = Path.of(options.model());
    try {
      var unused = RewardModel.check(model);
      Path base = RewardModel.base(model);
      BaseModelTerms.of(base).check(base.toString(), options.run().use());
      TemplateInputs told = told(options, LocalDate.now(ZoneOffset.UTC));
      var unusedToo = RewardModel.encoder(model, options.template(), told);
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --template: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static TemplateInputs told(ScoreOptions options, LocalDate day) throws IOException {
    return TemplateChoice.told(
        RewardModel.base(Path.of(options.model())),
        options.template(),
        options.templateInputs(),
        day);
  }

  @Override
  public List<TableRef> inputs(ScoreOptions options) {
    return TableRef.parse(options.input());
  }

  /** Other weights under the same name give other scores. */
  @Override
  public Map<String, String> contents(ScoreOptions options, Configuration hadoop) {
    try {
      return Map.of("model content", SharedReward.fingerprint(Path.of(options.model())));
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Outcome<ScoreSummary> perform(JobRun run, ScoreOptions options) throws IOException {
    SparkContext context = run.spark().sparkContext();
    Path model = Path.of(options.model());
    ModelConfig config = RewardModel.check(model);
    SharedReward.Access access = SharedReward.access(context, model, 0);
    String identity = identity(model, access.hash());
    run.note("model", model.getFileName() + ", SHA-256 " + access.hash());
    TemplateInputs told = told(options, run.day());
    long read = 0;
    Optional<Dataset<Row>> all = Optional.empty();
    for (String ref : options.input()) {
      Table table = table(run, ref);
      Dataset<Row> rows = run.inputs(List.of(ref), table);
      read += rows.count();
      Dataset<Row> scored =
          spread(context, rows, table)
              .mapPartitions(
                  new ScoreAnswers(
                      table.name(),
                      access,
                      options.template(),
                      told,
                      config.maxPositions(),
                      !run.dryRun()),
                  Encoders.row(ScoreAnswers.SCHEMA));
      all = Optional.of(all.isPresent() ? all.get().unionByName(scored) : scored);
    }
    Dataset<Row> scored = all.orElseThrow().persist(StorageLevel.DISK_ONLY());
    try {
      return perform(run, options, scored, read, identity);
    } finally {
      scored.unpersist();
      SharedReward.release(access);
    }
  }

  private static Outcome<ScoreSummary> perform(
      JobRun run, ScoreOptions options, Dataset<Row> scored, long read, String model)
      throws IOException {
    Dataset<Row> answers = scored.where(col("rule").isNull());
    Map<String, Long> rejects = rejectsByRule(scored);
    long kept = run.phase("Score answers", () -> answers.where(col("part").equalTo(0)).count());
    RowAccount account = RowAccount.of("rows", read, kept).rejects(rejects);
    if (run.dryRun()) {
      return Outcome.done(
          new ScoreSummary(
              run.summary(), read, kept, answers.count(), Optional.empty(), Optional.empty()),
          account);
    }
    run.write(
        Tables.SCORES,
        answers.select(
            col("id"),
            lit(model).as("model"),
            col("score"),
            col("side"),
            col("step"),
            col("prompt_id"),
            col("answer_id"),
            col("tokens")));
    if (!rejects.isEmpty()) {
      run.reject(scored.where(col("rule").isNotNull()), col("rule"), col("detail"), col("row"));
    }
    Optional<ScoreSummary.BestOf> best = Optional.empty();
    if (options.bestOf().isPresent()) {
      BestAnswers choice = new BestAnswers(answers, options.bestOf().get());
      run.write(Tables.BEST_OF, choice.rows(model));
      best = Optional.of(choice.summary(run.staged(Tables.BEST_OF.name())));
    }
    Row sums =
        run.staged(Tables.SCORES.name())
            .agg(count(lit(1)), BestAnswers.exactMean(col("score")).cast("double"))
            .head();
    return Outcome.done(
        new ScoreSummary(
            run.summary(),
            read,
            kept,
            sums.getLong(0),
            sums.isNullAt(1) ? Optional.empty() : Optional.of(sums.getDouble(1)),
            best),
        account);
  }

  /** Executors share the rows; in one process they stay as they lie. */
  private static Dataset<Row> spread(SparkContext context, Dataset<Row> rows, Table table) {
    String id = table.equals(Tables.COMPLETIONS) ? "request_id" : "id";
    return context.isLocal()
        ? rows
        : rows.repartition(context.defaultParallelism() * PARTITIONS_A_CORE, col(id));
  }

  private static Table table(JobRun run, String ref) {
    if (TableRef.parse(ref) instanceof TableRef.Named named) {
      return Tables.byName(named.table())
          .filter(TELLING::containsValue)
          .orElseThrow(() -> none(ref, "is"));
    }
    List<String> columns = run.columns(ref);
    return TELLING.entrySet().stream()
        .filter(entry -> columns.contains(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(() -> none(ref, "has the columns " + columns + " and is"));
  }

  private static JobException none(String ref, String is) {
    return JobException.invalid(
        "Option --input: %s %s none of %s, which hold answers"
            .formatted(
                ref,
                is,
                TELLING.values().stream().map(Table::name).collect(Collectors.joining(", "))));
  }

  private static Map<String, Long> rejectsByRule(Dataset<Row> scored) {
    Map<String, Long> rejects = new TreeMap<>();
    for (Row row : scored.where(col("rule").isNotNull()).groupBy("rule").count().collectAsList()) {
      rejects.put(row.getString(0), row.getLong(1));
    }
    return rejects;
  }

  /** A name alone may stand for other weights tomorrow. */
  private static String identity(Path model, String hash) {
    return model.getFileName()
        + "@"
        + Arrays.stream(hash.split("\\+", -1))
            .map(part -> part.substring(0, Math.min(HASH, part.length())))
            .collect(Collectors.joining("+"));
  }
}
