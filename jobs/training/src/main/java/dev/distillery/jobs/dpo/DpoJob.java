package dev.distillery.jobs.dpo;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.card.ModelCard;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
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
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Job `dpo`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * var student = StudentOptions.builder().model("models/sft").outputDir("out/dpo").build();
 * var training = TrainingOptions.builder().student(student).build();
 * var tokens = TokenOptions.builder().input(List.of("preferences")).build();
 * DpoOptions options = DpoOptions.builder().training(training).tokens(tokens).build();
 * DpoSummary summary = new DpoJob().run(spark, options);
 * System.out.println("Written to " + summary.output());
 * }</pre>
 */
public final class DpoJob implements Job<DpoOptions, DpoSummary> {
  private static final List<Table> TABLES = List.of(Tables.PREFERENCES);

  @Override
  public String name() {
    return "dpo";
  }

  @Override
  public String purpose() {
    return "Teach a student which of two answers is better, without a reward model.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Direct preference optimisation: the better answer of each pair becomes likelier than the
        other, beside a reference that stays as it is. What the reference says of all answers is
        computed once, by all executors, and kept in the warehouse under _tokens; it is used again
        while rows, options and reference are the same. SimPO's loss has none. All pairs count the same, whatever their
        margins. Dropout is off. Metrics have the names of TRL's DPOTrainer. The same --run-id goes
        on from the newest checkpoint.
        """,
        "preferences, or files with its columns.",
        "a Hugging Face directory, or an adapter in PEFT's layout with --trainable lora, with a"
            + " card, to --output-dir; the tables metrics and rejects (rules equal_answers,"
            + " equal_answers_after_cut, prompt_too_long, longer_than_max_length, no_label,"
            + " not_in_template, bad_margin, bad_weight).",
        "distillery dpo --model models/sft --input preferences --trainable lora"
            + " --output-dir out/dpo --dry-run --show 1");
  }

  @Override
  public Class<DpoOptions> optionsType() {
    return DpoOptions.class;
  }

  @Override
  public Class<DpoSummary> summaryType() {
    return DpoSummary.class;
  }

  @Override
  public RunOptions runOptions(DpoOptions options) {
    return options.run();
  }

  /** A step may be long, and its checkpoint large. */
  @Override
  public Duration grace() {
    return TrainingRun.GRACE;
  }

  @Override
  public void check(DpoOptions options) {
    ResultFolder.check(
        options.training().student(),
        options.preference().refModel().stream()
            .map(reference -> new ResultFolder.Read("--ref-model", reference))
            .toList());
    String model = options.training().student().model();
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      if (files.config().labels() > 0) {
        throw JobException.invalid(
            "Option --model: %s scores texts and writes none: name the model that answers"
                .formatted(model));
      }
      int length = options.tokens().length(files.config().maxPositions());
      Tokenizer tokenizer = Tokenizers.of(files);
      TemplateInputs told =
          TemplateChoice.told(
              Path.of(model),
              options.template(),
              options.templateInputs(),
              LocalDate.now(ZoneOffset.UTC));
      ChatTemplate template = template(files, tokenizer, options, told);
      List<Integer> marks = TemplateTokens.require(template, tokenizer);
      TrainedTokens.check(options.training().lora().trainTokens(), tokenizer);
      BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
      if (length < marks.size()) {
        throw JobException.invalid(
            "Option --max-length: %s tokens do not hold the marks of one turn of the template %s"
                .formatted(length, template.name()));
      }
      if (options.preference().refModel().isPresent()) {
        FrozenModel.check("--ref-model", options.reference(), files, length);
        BaseModelTerms.of(Path.of(options.reference()))
            .check(options.reference(), options.run().use());
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ChatTemplate template(
      ModelFiles files, Tokenizer tokenizer, DpoOptions options, TemplateInputs told)
      throws IOException {
    try {
      return ModelTemplates.choose(files, tokenizer, options.template(), told);
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --template: " + e.getMessage());
    }
  }

  @Override
  public List<TableRef> inputs(DpoOptions options) {
    return options.tokens().refs();
  }

  @Override
  public Outcome<DpoSummary> perform(JobRun run, DpoOptions options) throws IOException {
    String model = options.training().student().model();
    ShippedModel.ship(run.spark().sparkContext(), model);
    TrainingInputs inputs = TrainingInputs.read(run, options.tokens().input(), TABLES);
    TokenSettings settings;
    Tokenizer tokenizer;
    ChatTemplate template;
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      tokenizer = Tokenizers.of(files);
      TemplateInputs told =
          TemplateChoice.told(run, Path.of(model), options.template(), options.templateInputs());
      settings = settings(files, options).told(told);
      template = template(files, tokenizer, options, told);
    }
    if (run.dryRun()) {
      TrainingInputs.Plan plan = inputs.plan(model, settings, options.show());
      return plan(run, options, plan, settings, tokenizer, template);
    }
    Optional<ReferenceFigures> reference = reference(run, options);
    long seed = options.run().randomSeed();
    boolean shuffled = options.training().batch().shuffle();
    TrainingInputs.Tokens tokens = with(reference, inputs).build(model, settings, seed, shuffled);
    TrainingInputs.writeRejects(run, tokens.rejects());
    TrainingRun training =
        training(run, options, tokens.rows(), template)
            .identifiedBy(PreferenceOptions.class, options.preference())
            .identifiedBy("reference", reference.map(ReferenceFigures::hash).orElse("none"))
            .identifiedBy("token tables", tokens.key());
    if (!options.tokens().evalInput().isEmpty()) {
      training = training.evaluatedOn(held(run, options, settings, reference));
    }
    TrainingResult result = training.train();
    Map<String, Number> figures = new TreeMap<>(tokens.counts().figures());
    figures.putAll(result.figures());
    DpoSummary summary = new DpoSummary(run.summary(), figures, result.output());
    if (result.interrupted().isPresent()) {
      return Outcome.stopped(ExitCode.TEMPORARY, result.interrupted().get(), summary);
    }
    card(run, options, inputs, result, summary)
        .write(new org.apache.hadoop.fs.Path(result.output()), run.warehouse().hadoop());
    return Outcome.done(summary, account(tokens.counts()));
  }

  private static TrainingRun training(
      JobRun run, DpoOptions options, TokenRows rows, ChatTemplate template) {
    return TrainingRun.of(
            run,
            options.trained(),
            options.run().randomSeed(),
            new PreferenceObjective(options.preference().toLoss()),
            rows)
        .writtenIn(template);
  }

  /** What the losses that have a reference ask it. */
  private static Optional<ReferenceFigures> reference(JobRun run, DpoOptions options)
      throws IOException {
    if (!options.preference().loss().hasReference()) {
      return Optional.empty();
    }
    String model = options.training().student().model();
    return Optional.of(
        new ReferenceFigures(
            FrozenModel.of(run.spark().sparkContext(), "--ref-model", options.reference(), model),
            ModelHash.of(Path.of(options.reference()))));
  }

  private static TrainingInputs with(Optional<ReferenceFigures> figures, TrainingInputs inputs) {
    return figures.map(inputs::with).orElse(inputs);
  }

  /** The pairs that are only evaluated on. What of them is rejected is told. */
  private static TokenRows held(
      JobRun run,
      DpoOptions options,
      TokenSettings settings,
      Optional<ReferenceFigures> reference) {
    TrainingInputs.Tokens tokens =
        with(reference, TrainingInputs.readBeside(run, options.tokens().evalInput(), TABLES))
            .build(
                options.training().student().model(), settings, options.run().randomSeed(), false);
    Map<String, Long> rejects = tokens.counts().rejects();
    if (!rejects.isEmpty()) {
      run.progress().say("Not evaluated on, of --eval-input: " + new TreeMap<>(rejects));
    }
    return tokens.rows();
  }

  private static Outcome<DpoSummary> plan(
      JobRun run,
      DpoOptions options,
      TrainingInputs.Plan plan,
      TokenSettings settings,
      Tokenizer tokenizer,
      ChatTemplate template) {
    System.out.print(plan.describe(tokenizer));
    TrainingRun training = training(run, options, plan.rows(), template);
    if (!options.tokens().evalInput().isEmpty()) {
      training =
          training.evaluatedOn(
              TrainingInputs.readBeside(run, options.tokens().evalInput(), TABLES)
                  .plan(options.training().student().model(), settings, 0)
                  .rows());
    }
    Map<String, Number> figures = new TreeMap<>(training.plan().figures());
    figures.putAll(plan.figures());
    figures.putAll(plan.counts().figures());
    return Outcome.done(
        new DpoSummary(run.summary(), figures, options.training().student().outputDir()),
        account(plan.counts()));
  }

  private static RowAccount account(TokenCounts counts) {
    return RowAccount.of("pairs", counts.rowsRead(), counts.rowsKept()).rejects(counts.rejects());
  }

  private static ModelCard card(
      JobRun run,
      DpoOptions options,
      TrainingInputs inputs,
      TrainingResult result,
      DpoSummary summary)
      throws IOException {
    Path model = Path.of(options.training().student().model());
    ModelCard card =
        new ModelCard(
            "Direct preference optimisation of " + model.getFileName(),
            model.toString(),
            BaseModelTerms.of(model).license(),
            inputs.sources(),
            OptionsBinder.of(DpoOptions.class).effective(options),
            summary.training());
    for (String name : List.of("loss", "eval_loss", "rewards/margins", "eval_rewards/margins")) {
      card.addCurve(name, TrainingInputs.curve(run, name));
    }
    result
        .samples()
        .forEach(
            sample ->
                card.addSample(
                    new ModelCard.Sample(sample.prompt(), sample.before(), sample.after())));
    return card;
  }

  private static TokenSettings settings(ModelFiles files, DpoOptions options) {
    return new TokenSettings(
        options.template(),
        options.tokens().length(files.config().maxPositions()),
        new PairSettings(options.tokens().longPair(), false));
  }
}
