package dev.distillery.jobs.reward;

import static org.apache.spark.sql.functions.col;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.WeightSource;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.WeightedRef;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.card.ModelCard;
import dev.distillery.training.reward.ScorePairs;
import dev.distillery.training.reward.SharedReward;
import dev.distillery.training.run.MergedModel;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.StudentOptionsBuilder;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.run.TrainingOptionsBuilder;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
import dev.distillery.training.tokens.AdapterTokenizer;
import dev.distillery.training.tokens.AnswerEncoder;
import dev.distillery.training.tokens.PairSettings;
import dev.distillery.training.tokens.TemplateChoice;
import dev.distillery.training.tokens.TemplateTokens;
import dev.distillery.training.tokens.TokenCounts;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSettings;
import dev.distillery.training.tokens.TrainedTokens;
import dev.distillery.training.tokens.TrainingInputs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.SparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * Job `reward`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * var student = StudentOptions.builder().model("models/sft").outputDir("out/reward").build();
 * var training = TrainingOptions.builder().student(student).build();
 * var pairs = TokenOptions.builder().input(List.of("preferences")).build();
 * RewardOptions options = RewardOptions.builder().training(training).tokens(pairs).build();
 * RewardSummary summary = new RewardJob().run(spark, options);
 * System.out.println("Accuracy " + summary.training().get("accuracy"));
 * }</pre>
 */
public final class RewardJob implements Job<RewardOptions, RewardSummary> {
  private static final List<Table> COMPARISONS = List.of(Tables.PREFERENCES);
  private static final List<Table> ANSWERS = List.of(Tables.PREFERENCES, Tables.CONVERSATIONS);
  private static final List<String> HEAD = List.of("reward");

  /** What the evaluation reads of a comparison. */
  private static final List<String> COLUMNS =
      List.of("id", "source", "prompt", "chosen", "rejected", "margin", "tools");

  @Override
  public String name() {
    return "reward";
  }

  @Override
  public String purpose() {
    return "Train a reward model on comparisons of answers.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        A linear head gives one number, read at the mark that closes the answer; the loss is
        -log sigma(chosen - rejected - margin), the mean over the pairs of a prompt and then over
        prompts. Rows that share a group_id are one prompt: its answers go through the model once
        (InstructGPT's K-way ranking), and --batch-size counts prompts. --model is a language
        model, an earlier reward model, or an adapter of either, which is merged into its base
        first. With --eval-input the result is tried on comparisons of their own, beside rules
        that look at lengths and at words of the prompt alone. The same --run-id goes on from the
        newest checkpoint.
        """,
        "preferences, or files with their columns; --normalize-input: conversations too.",
        "a Hugging Face directory with a score head, or an adapter in PEFT's layout with"
            + " --trainable lora, with a card and held-out.html, to --output-dir; the tables"
            + " metrics and rejects (rules equal_answers, equal_answers_after_cut, no_label,"
            + " prompt_too_long, longer_than_max_length, bad_margin, bad_weight,"
            + " not_in_template).",
        "distillery reward --model models/sft --input preferences@train --eval-input"
            + " preferences@test --trainable lora --output-dir out/reward --dry-run --show 3");
  }

  @Override
  public Class<RewardOptions> optionsType() {
    return RewardOptions.class;
  }

  @Override
  public Class<RewardSummary> summaryType() {
    return RewardSummary.class;
  }

  @Override
  public RunOptions runOptions(RewardOptions options) {
    return options.run();
  }

  /** A step may be long, and its checkpoint large. */
  @Override
  public Duration grace() {
    return TrainingRun.GRACE;
  }

  @Override
  public void check(RewardOptions options) {
    ResultFolder.check(options.training().student(), List.of());
    Path model = model(options);
    try {
      ModelConfig config = MergedModel.config(model);
      if (config.labels() > 1) {
        throw JobException.invalid(
            "Option --model: %s is a classifier of %s labels, and a reward model has one score; name a language model or a reward model"
                .formatted(model, config.labels()));
      }
      Path base = MergedModel.base(model);
      AdapterTokenizer.check(model, base, options.template());
      AnswerEncoder encoder = encoder(base, options, LocalDate.now(ZoneOffset.UTC));
      int marks = TemplateTokens.require(encoder.template(), encoder.tokenizer()).size();
      TrainedTokens.check(options.training().lora().trainTokens(), encoder.tokenizer());
      if (options.tokens().length(config.maxPositions()) < marks) {
        throw JobException.invalid(
            "Option --max-length: %s tokens do not hold the marks of one turn of the template %s"
                .formatted(
                    options.tokens().length(config.maxPositions()), encoder.template().name()));
      }
      BaseModelTerms.of(base).check(base.toString(), options.run().use());
      checkAdapter(options);
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkAdapter(RewardOptions options) throws IOException {
    Optional<String> adapter = options.training().student().adapter();
    if (adapter.isEmpty()) {
      return;
    }
    try (WeightSource weights = AdapterFiles.read(Path.of(adapter.get())).weights()) {
      if (!weights.weights().containsKey(ModelTensors.SCORE)) {
        throw JobException.invalid(
            "Option --adapter: %s brings no %s, so that it is no reward model's: name it as --model, and it is merged into its base first"
                .formatted(adapter.get(), ModelTensors.SCORE));
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --adapter: " + e.getMessage());
    }
  }

  private static Path model(RewardOptions options) {
    return Path.of(options.training().student().model());
  }

  private static AnswerEncoder encoder(Path model, RewardOptions options, LocalDate day)
      throws IOException {
    try {
      return AnswerEncoder.open(
          model,
          options.template(),
          TemplateChoice.told(model, options.template(), options.templateInputs(), day));
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --template: " + e.getMessage());
    }
  }

  @Override
  public List<TableRef> inputs(RewardOptions options) {
    return Stream.concat(
            options.tokens().refs().stream(),
            options.normalizeInput().stream()
                .map(text -> TableRef.parse(WeightedRef.parse(text).ref())))
        .toList();
  }

  @Override
  public Outcome<RewardSummary> perform(JobRun run, RewardOptions options) throws IOException {
    TrainingOptions begun = begin(run, options);
    String model = begun.student().model();
    ShippedModel.ship(run.spark().sparkContext(), model);
    TrainingInputs inputs = TrainingInputs.read(run, options.tokens().input(), COMPARISONS);
    TokenSettings settings = settings(run, options, model, true);
    if (run.dryRun()) {
      return plan(run, options, begun, inputs.plan(model, settings, options.show()));
    }
    long seed = options.run().randomSeed();
    TrainingInputs.Tokens tokens = inputs.build(model, settings, seed, begun.batch().shuffle());
    TrainingInputs.writeRejects(run, tokens.rejects());
    TrainingRun training =
        training(run, options, begun, tokens.rows())
            .identifiedBy("token tables", tokens.key())
            .identifiedBy("center-rewards", "" + options.centerRewards());
    Optional<TrainingInputs> held = held(run, options);
    if (held.isPresent()) {
      training = training.evaluatedOn(rows(run, held.get(), "--eval-input", model, settings));
    }
    Optional<Normalisation> normalisation = normalisation(run, options, begun);
    if (normalisation.isPresent()) {
      training = training.finishing(normalisation.get());
    }
    TrainingResult result = training.train();
    Map<String, Number> figures = new TreeMap<>(tokens.counts().figures());
    figures.putAll(result.figures());
    normalisation.ifPresent(by -> figures.putAll(by.figures()));
    if (result.interrupted().isPresent()) {
      return Outcome.stopped(
          ExitCode.TEMPORARY,
          result.interrupted().get(),
          new RewardSummary(run.summary(), figures, List.of(), List.of(), result.output()));
    }
    Optional<HeldOut> found =
        held.isPresent()
            ? Optional.of(evaluate(run, result.output(), settings, inputs, held.get()))
            : Optional.empty();
    found.ifPresent(there -> figures.putAll(there.figures()));
    RewardSummary summary =
        new RewardSummary(
            run.summary(),
            figures,
            found.map(HeldOut::bySource).orElse(List.of()),
            found.map(HeldOut::byLength).orElse(List.of()),
            result.output());
    card(run, options, inputs, summary, found)
        .write(new org.apache.hadoop.fs.Path(result.output()), run.warehouse().hadoop());
    return Outcome.done(summary, account(tokens.counts()));
  }

  /** What training begins from: an adapter is merged into its base first, beside the result. */
  private static TrainingOptions begin(JobRun run, RewardOptions options) throws IOException {
    Path model = model(options);
    if (!AdapterFiles.isAdapter(model)) {
      return options.training();
    }
    String output = options.training().student().outputDir();
    Path begin = MergedModel.under(run, "--model", model, output, "base");
    StudentOptions student =
        StudentOptionsBuilder.builder(options.training().student()).model(begin.toString()).build();
    return TrainingOptionsBuilder.builder(options.training()).student(student).build();
  }

  private static TokenSettings settings(
      JobRun run, RewardOptions options, String model, boolean ranked) throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      return new TokenSettings(
              options.template(),
              options.tokens().length(files.config().maxPositions()),
              new PairSettings(options.tokens().longPair(), ranked))
          .told(
              TemplateChoice.told(
                  Path.of(model), options.template(), options.templateInputs(), run.day()));
    }
  }

  private static TrainingRun training(
      JobRun run, RewardOptions options, TrainingOptions begun, TokenRows rows) throws IOException {
    return TrainingRun.of(
            run,
            begun,
            options.run().randomSeed(),
            new RewardObjective(options.centerRewards()),
            rows)
        .classifying(HEAD)
        .writtenIn(encoder(Path.of(begun.student().model()), options, run.day()).template());
  }

  private static Optional<TrainingInputs> held(JobRun run, RewardOptions options) {
    return options.tokens().evalInput().isEmpty()
        ? Optional.empty()
        : Optional.of(TrainingInputs.readBeside(run, options.tokens().evalInput(), COMPARISONS));
  }

  /** Rows that are not trained on. What of them is rejected is told. */
  private static TokenRows rows(
      JobRun run, TrainingInputs inputs, String option, String model, TokenSettings settings) {
    TrainingInputs.Tokens tokens = inputs.build(model, settings, 0, false);
    if (!tokens.counts().rejects().isEmpty()) {
      run.progress()
          .say("Left out, of %s: %s".formatted(option, new TreeMap<>(tokens.counts().rejects())));
    }
    return tokens.rows();
  }

  private static Optional<Normalisation> normalisation(
      JobRun run, RewardOptions options, TrainingOptions begun) throws IOException {
    if (options.normalizeInput().isEmpty()) {
      return Optional.empty();
    }
    String model = begun.student().model();
    TrainingInputs answers = TrainingInputs.readBeside(run, options.normalizeInput(), ANSWERS);
    TokenRows rows =
        rows(run, answers, "--normalize-input", model, settings(run, options, model, false));
    return Optional.of(new Normalisation(rows, begun.batch().batchSize()));
  }

  /** Tries the result as others will read it, from its folder. */
  private static HeldOut evaluate(
      JobRun run, String output, TokenSettings settings, TrainingInputs inputs, TrainingInputs held)
      throws IOException {
    SparkContext context = run.spark().sparkContext();
    Path local = LocalResult.of(output, run.warehouse().hadoop());
    SharedReward.Access access = SharedReward.access(context, local, 0);
    try {
      HeldOut found =
          run.phase(
              "Score held-out comparisons",
              () -> {
                Dataset<Row> rows = together(held);
                return HeldOut.of(
                    context.isLocal()
                        ? rows
                        : rows.repartition(context.defaultParallelism() * 4, col("id")),
                    new ScorePairs(access, settings),
                    LookRules.of(together(inputs)));
              });
      run.progress().say(found.describe());
      var page = new org.apache.hadoop.fs.Path(output, HeldOutPage.FILE);
      try (var out = page.getFileSystem(run.warehouse().hadoop()).create(page, true)) {
        out.write(HeldOutPage.html(found).getBytes(StandardCharsets.UTF_8));
      }
      return found;
    } finally {
      SharedReward.release(access);
    }
  }

  private static Dataset<Row> together(TrainingInputs inputs) {
    Column[] columns = COLUMNS.stream().map(functions::col).toArray(Column[]::new);
    return inputs.rows().stream()
        .map(rows -> rows.select(columns))
        .reduce(Dataset::unionByName)
        .orElseThrow();
  }

  private static Outcome<RewardSummary> plan(
      JobRun run, RewardOptions options, TrainingOptions begun, TrainingInputs.Plan plan)
      throws IOException {
    System.out.print(
        plan.describe(encoder(Path.of(begun.student().model()), options, run.day()).tokenizer()));
    TrainingRun training = training(run, options, begun, plan.rows());
    Optional<TrainingInputs> held = held(run, options);
    if (held.isPresent()) {
      training =
          training.evaluatedOn(
              held.get()
                  .plan(
                      begun.student().model(),
                      settings(run, options, begun.student().model(), true),
                      0)
                  .rows());
    }
    Map<String, Number> figures = new TreeMap<>(training.plan().figures());
    figures.putAll(plan.figures());
    figures.putAll(plan.counts().figures());
    return Outcome.done(
        new RewardSummary(
            run.summary(), figures, List.of(), List.of(), begun.student().outputDir()),
        account(plan.counts()));
  }

  private static RowAccount account(TokenCounts counts) {
    return RowAccount.of("pairs", counts.rowsRead(), counts.rowsKept()).rejects(counts.rejects());
  }

  private static ModelCard card(
      JobRun run,
      RewardOptions options,
      TrainingInputs inputs,
      RewardSummary summary,
      Optional<HeldOut> found)
      throws IOException {
    Path model = model(options);
    ModelCard card =
        new ModelCard(
            "Reward model of " + model.getFileName(),
            model.toString(),
            BaseModelTerms.of(MergedModel.base(model)).license(),
            inputs.sources(),
            OptionsBinder.of(RewardOptions.class).effective(options),
            summary.training());
    found.ifPresent(
        held -> {
          card.addTable("What looks alone would get", HeldOutPage.RULES, HeldOutPage.rules(held));
          card.addTable(
              "Held-out comparisons by source",
              HeldOutPage.GROUPS,
              HeldOutPage.cells(held.bySource()));
          card.addTable(
              "Held-out comparisons by characters that the chosen answer has more",
              HeldOutPage.GROUPS,
              HeldOutPage.cells(held.byLength()));
        });
    for (String name : List.of("loss", "accuracy", "eval_accuracy")) {
      card.addCurve(name, TrainingInputs.curve(run, name));
    }
    return card;
  }
}
