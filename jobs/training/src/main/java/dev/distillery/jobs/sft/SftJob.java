package dev.distillery.jobs.sft;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
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
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
import dev.distillery.training.tokens.TemplateChoice;
import dev.distillery.training.tokens.TemplateTokens;
import dev.distillery.training.tokens.TokenCounts;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSettings;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
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
 * Job `sft`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * var student = StudentOptions.builder().model("base.gguf").outputDir("student").build();
 * var training = TrainingOptions.builder().student(student).build();
 * var tokens = TokenOptions.builder().input(List.of("instructions")).build();
 * SftOptions options = SftOptions.builder().training(training).tokens(tokens).build();
 * SftSummary summary = new SftJob().run(spark, options);
 * System.out.println("Written to " + summary.output());
 * }</pre>
 */
public final class SftJob implements Job<SftOptions, SftSummary> {
  /** Teachers of completions that the card names. */
  private static final int MOST_TEACHERS = 10;

  private static final List<Table> TABLES = List.of(Tables.CONVERSATIONS, Tables.INSTRUCTIONS);

  @Override
  public String name() {
    return "sft";
  }

  @Override
  public String purpose() {
    return "Teach a student to answer as given dialogues and tasks do.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Trains the student on answers: each answer and the mark that closes it are learned, what
        stands before is context. A message of weight 0 is context only; a column weight counts a
        whole row. Nothing is cut or left out unsaid: the summary counts it, and --dry-run --show 3
        prints rows token by token. Tokens are kept in the warehouse under _tokens and used again
        while rows, tokenizer and options are the same. The same --run-id goes on from the newest
        checkpoint.

        With --train-on label a classifier is trained, as in GPT-1: the rows' outputs are the
        classes, and a linear head tells them apart from the text's last token.

        With --distill the student learns a teacher's probabilities of each token: of a model that
        runs beside it, or those of completions that were written with complete --logprobs (the
        same table as --input; the same vocabulary, or the job ends and names the token).
        """,
        "conversations or instructions, or files with their columns; completions with --distill.",
        "a Hugging Face directory, or an adapter in PEFT's layout with --trainable lora, with a"
            + " card, to --output-dir; the tables metrics and rejects (rules no_label,"
            + " no_label_after_cut, longer_than_max_length, bad_weight, not_in_template, empty; of"
            + " completions also failed, no_logprobs, no_token_ids).",
        "distillery sft --model models/smollm2 --input instructions --trainable lora"
            + " --output-dir out/sft --dry-run --show 3");
  }

  @Override
  public Class<SftOptions> optionsType() {
    return SftOptions.class;
  }

  @Override
  public Class<SftSummary> summaryType() {
    return SftSummary.class;
  }

  @Override
  public RunOptions runOptions(SftOptions options) {
    return options.run();
  }

  /** A step may be long, and its checkpoint large. */
  @Override
  public Duration grace() {
    return TrainingRun.GRACE;
  }

  @Override
  public void check(SftOptions options) {
    StudentOptions given = options.training().student();
    ResultFolder.check(
        given,
        options.learnsFromCompletions()
            ? List.of()
            : options.distill().distill().stream()
                .map(teacher -> new ResultFolder.Read("--distill", teacher))
                .toList());
    String model = given.model();
    if (options.classifies()) {
      checkClassifier(options, model);
      return;
    }
    try (Student student = Student.open(Path.of(model), 1)) {
      int length = options.tokens().length(student.config().maxPositions());
      TemplateInputs told =
          TemplateChoice.told(
              Path.of(model),
              options.template(),
              options.templateInputs(),
              LocalDate.now(ZoneOffset.UTC));
      ChatTemplate template = template(student, options, told);
      List<Integer> marks = TemplateTokens.require(template, student.tokenizer());
      TrainedTokens.check(options.training().lora().trainTokens(), student.tokenizer());
      BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
      if (length < marks.size()) {
        throw JobException.invalid(
            "Option --max-length: %s tokens do not hold the marks of one turn of the template %s"
                .formatted(length, template.name()));
      }
      if (options.distill().distill().isPresent() && !options.learnsFromCompletions()) {
        try (ModelFiles files = ModelFiles.open(Path.of(model))) {
          String teacher = options.distill().distill().get();
          FrozenModel.check("--distill", teacher, files, length);
          BaseModelTerms.of(Path.of(teacher)).check(teacher, options.run().use());
        }
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkClassifier(SftOptions options, String model) {
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      int unused = options.tokens().length(files.config().maxPositions());
      TrainedTokens.check(options.training().lora().trainTokens(), Tokenizers.of(files));
      Classes.check(files.config(), auxWeight(options));
      BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static ChatTemplate template(Student student, SftOptions options, TemplateInputs told)
      throws IOException {
    try {
      return student.chatTemplate(options.template(), told);
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --template: " + e.getMessage());
    }
  }

  @Override
  public List<TableRef> inputs(SftOptions options) {
    return options.tokens().refs();
  }

  @Override
  public Outcome<SftSummary> perform(JobRun run, SftOptions options) throws IOException {
    String model = options.training().student().model();
    ShippedModel.ship(run.spark().sparkContext(), model);
    TrainingInputs inputs = TrainingInputs.read(run, options.tokens().input(), tables(options));
    TokenSettings settings;
    Tokenizer tokenizer;
    Optional<ChatTemplate> template = Optional.empty();
    if (options.classifies()) {
      try (ModelFiles files = ModelFiles.open(Path.of(model))) {
        tokenizer = Tokenizers.of(files);
        settings = labelled(files, options, Classes.of(inputs, options));
      }
      run.progress()
          .say(
              "%s classes: %s"
                  .formatted(settings.classes().size(), Classes.shown(settings.classes())));
    } else {
      try (Student student = Student.open(Path.of(model), 1)) {
        tokenizer = student.tokenizer();
        TemplateInputs told =
            TemplateChoice.told(run, Path.of(model), options.template(), options.templateInputs());
        settings = settings(student, options).told(told);
        template = Optional.of(template(student, options, told));
      }
    }
    if (run.dryRun()) {
      TrainingInputs.Plan plan = inputs.plan(model, settings, options.show());
      return plan(run, options, settings, plan, tokenizer, template);
    }
    long seed = options.run().randomSeed();
    boolean shuffled = options.training().batch().shuffle();
    TrainingInputs.Tokens tokens = inputs.build(model, settings, seed, shuffled);
    TrainingInputs.writeRejects(run, tokens.rejects());
    TrainingRun training =
        identified(training(run, options, settings, tokens.rows(), template), options)
            .identifiedBy("token tables", tokens.key());
    if (!options.tokens().evalInput().isEmpty()) {
      training = training.evaluatedOn(held(run, options, settings));
    }
    QualityByRows.Trained trained =
        QualityByRows.train(run, training, tokens.rows(), options.maxRows(), seed);
    TrainingResult result = trained.last();
    Map<String, Number> figures = new TreeMap<>(tokens.counts().figures());
    figures.putAll(result.figures());
    SftSummary summary = summary(run, figures, tokens.shares(), result.output(), trained.quality());
    if (result.interrupted().isPresent()) {
      return Outcome.stopped(ExitCode.TEMPORARY, result.interrupted().get(), summary);
    }
    ModelCard card = card(run, options, inputs, summary);
    result
        .samples()
        .forEach(
            sample ->
                card.addSample(
                    new ModelCard.Sample(sample.prompt(), sample.before(), sample.after())));
    if (!trained.quality().isEmpty()) {
      card.addTable(
          "Quality by rows",
          QualityByRows.columns(trained.quality()),
          QualityByRows.cells(trained.quality()));
      QualityByRows.draw(run, result.output(), trained.quality());
    }
    card.write(new org.apache.hadoop.fs.Path(result.output()), run.warehouse().hadoop());
    return Outcome.done(summary, account(tokens.counts()));
  }

  /** What the rows may be. */
  private static List<Table> tables(SftOptions options) {
    if (options.learnsFromCompletions()) {
      return List.of(Tables.COMPLETIONS);
    }
    return options.classifies() ? List.of(Tables.INSTRUCTIONS) : TABLES;
  }

  private static TrainingRun training(
      JobRun run,
      SftOptions options,
      TokenSettings settings,
      TokenRows rows,
      Optional<ChatTemplate> template)
      throws IOException {
    TrainingRun training =
        TrainingRun.of(
                run, options.training(), options.run().randomSeed(), objective(run, options), rows)
            .classifying(settings.classes());
    return template.map(training::writtenIn).orElse(training);
  }

  private static TrainingObjective objective(JobRun run, SftOptions options) throws IOException {
    if (options.classifies()) {
      return new ClassifierObjective(auxWeight(options));
    }
    DistillOptions distill = options.distill();
    if (distill.distill().isEmpty()) {
      return new NextTokenObjective();
    }
    if (options.learnsFromCompletions()) {
      return new TaughtObjective(distill.beta());
    }
    FrozenModel teacher =
        FrozenModel.of(
            run.spark().sparkContext(),
            "--distill",
            distill.distill().get(),
            options.training().student().model());
    return new DistillObjective(teacher, distill.beta(), distill.temperature());
  }

  private static double auxWeight(SftOptions options) {
    return options.labels().auxWeight(Classes.headAlone(options));
  }

  /** What of this job's own options a checkpoint may not change. */
  private static TrainingRun identified(TrainingRun training, SftOptions options)
      throws IOException {
    if (options.classifies()) {
      return training.identifiedBy("aux-lm-weight", "" + auxWeight(options));
    }
    DistillOptions distill = options.distill();
    if (distill.distill().isEmpty()) {
      return training;
    }
    if (options.learnsFromCompletions()) {
      return training.identifiedBy("distill-beta", "" + distill.beta());
    }
    return training
        .identifiedBy("distill", ModelHash.of(Path.of(distill.distill().get())))
        .identifiedBy("distill-beta", "" + distill.beta())
        .identifiedBy("distill-temperature", "" + distill.temperature());
  }

  /** The rows that are only evaluated on. What of them is rejected is told. */
  private static TokenRows held(JobRun run, SftOptions options, TokenSettings settings) {
    TrainingInputs held =
        TrainingInputs.readBeside(run, options.tokens().evalInput(), tables(options));
    TrainingInputs.Tokens tokens =
        held.build(
            options.training().student().model(), settings, options.run().randomSeed(), false);
    Map<String, Long> rejects = tokens.counts().rejects();
    if (rejects.containsKey("unknown_label")) {
      throw JobException.invalid(
          "Option --eval-input: %s rows have an output that no row of --input has, so that no class is right; the classes are %s"
              .formatted(rejects.get("unknown_label"), Classes.shown(settings.classes())));
    }
    if (!rejects.isEmpty()) {
      run.progress().say("Not evaluated on, of --eval-input: " + new TreeMap<>(rejects));
    }
    return tokens.rows();
  }

  private static Outcome<SftSummary> plan(
      JobRun run,
      SftOptions options,
      TokenSettings settings,
      TrainingInputs.Plan plan,
      Tokenizer tokenizer,
      Optional<ChatTemplate> template)
      throws IOException {
    System.out.print(plan.describe(tokenizer));
    Map<String, Number> figures =
        new TreeMap<>(planned(run, options, settings, plan, template).plan().figures());
    figures.putAll(plan.figures());
    figures.putAll(plan.counts().figures());
    return Outcome.done(
        summary(run, figures, plan.shares(), options.training().student().outputDir(), List.of()),
        account(plan.counts()));
  }

  private static TrainingRun planned(
      JobRun run,
      SftOptions options,
      TokenSettings settings,
      TrainingInputs.Plan plan,
      Optional<ChatTemplate> template)
      throws IOException {
    TrainingRun training = training(run, options, settings, plan.rows(), template);
    if (options.tokens().evalInput().isEmpty()) {
      return training;
    }
    return training.evaluatedOn(
        TrainingInputs.readBeside(run, options.tokens().evalInput(), tables(options))
            .plan(options.training().student().model(), settings, 0)
            .rows());
  }

  private static SftSummary summary(
      JobRun run,
      Map<String, Number> figures,
      List<TrainingInputs.Share> shares,
      String output,
      List<SftSummary.Quality> quality) {
    return new SftSummary(
        run.summary(),
        figures,
        shares.stream().map(SftSummary.Input::of).toList(),
        output,
        quality);
  }

  private static RowAccount account(TokenCounts counts) {
    return RowAccount.of("rows", counts.rowsRead(), counts.rowsKept()).rejects(counts.rejects());
  }

  private static ModelCard card(
      JobRun run, SftOptions options, TrainingInputs inputs, SftSummary summary)
      throws IOException {
    Path model = Path.of(options.training().student().model());
    ModelCard card =
        new ModelCard(
            "Supervised fine-tuning of " + model.getFileName(),
            model.toString(),
            BaseModelTerms.of(model).license(),
            inputs.sources(),
            OptionsBinder.of(SftOptions.class).effective(options),
            summary.figures());
    if (options.learnsFromCompletions()) {
      card.setTeacher(
          String.join("`, `", inputs.distinct("model", MOST_TEACHERS)), Optional.empty());
    } else if (options.distill().distill().isPresent()) {
      String teacher = options.distill().distill().get();
      card.setTeacher(teacher, BaseModelTerms.of(Path.of(teacher)).license());
    }
    for (String name : List.of("loss", "eval_loss")) {
      card.addCurve(name, TrainingInputs.curve(run, name));
    }
    return card;
  }

  private static TokenSettings settings(Student student, SftOptions options) {
    List<Integer> stops = student.specialTokens().stop();
    Packing packing = options.tokens().packing().orElse(Packing.NONE);
    return new TokenSettings(
        options.template(),
        options.trainOn(),
        options.tokens().overLength().orElse(OverLength.CUT),
        options.tokens().length(student.config().maxPositions()),
        packing,
        stops.isEmpty() ? -1 : stops.get(0));
  }

  private static TokenSettings labelled(
      ModelFiles files, SftOptions options, List<String> classes) {
    return new TokenSettings(
        "",
        options.trainOn(),
        options.tokens().overLength().orElse(OverLength.CUT),
        options.tokens().length(files.config().maxPositions()),
        Packing.NONE,
        -1,
        classes);
  }
}
