package dev.distillery.jobs.ppo;

import static org.apache.spark.sql.functions.col;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.rl.Algorithm;
import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.KlController;
import dev.distillery.model.rl.ScoreRules;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.train.PolicyLoss;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.WeightedRef;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.card.ModelCard;
import dev.distillery.training.rollout.ModelReward;
import dev.distillery.training.rollout.PolicyMethod;
import dev.distillery.training.rollout.PolicyObjective;
import dev.distillery.training.rollout.PromptInputs;
import dev.distillery.training.rollout.PromptTable;
import dev.distillery.training.rollout.Settings;
import dev.distillery.training.rollout.ValueModel;
import dev.distillery.training.rollout.WeightedReward;
import dev.distillery.training.run.BatchOptions;
import dev.distillery.training.run.BatchOptionsBuilder;
import dev.distillery.training.run.FrozenModel;
import dev.distillery.training.run.LoraOptionsBuilder;
import dev.distillery.training.run.ResultFolder;
import dev.distillery.training.run.StudentOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.run.TrainingOptionsBuilder;
import dev.distillery.training.run.TrainingResult;
import dev.distillery.training.run.TrainingRun;
import dev.distillery.training.tokens.PlannedRows;
import dev.distillery.training.tokens.TemplateChoice;
import dev.distillery.training.tokens.TrainedTokens;
import dev.distillery.training.tokens.TrainingInputs;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Job `ppo`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * var student = StudentOptions.builder().model("models/sft").outputDir("out/ppo").build();
 * var training = TrainingOptions.builder().student(student).build();
 * var rewards = ScoringOptions.builder().reward(List.of("count:e=1")).build();
 * var options = PpoOptions.builder().training(training).input(List.of("prompts")).rewards(rewards);
 * PpoSummary summary = new PpoJob().run(spark, options.build());
 * System.out.println("Written to " + summary.output());
 * }</pre>
 */
public final class PpoJob implements Job<PpoOptions, PpoSummary> {
  @Override
  public String name() {
    return "ppo";
  }

  @Override
  public String purpose() {
    return "Teach a student to answer as rewards would have it.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Each step is an update: answers are sampled to some prompts with the weights as they are,
        scored, and trained on for some epochs of mini-batches, near a reference. Prompts are
        dialogues up to their last user's turn, the prompts of preferences, tasks, or plain texts.
        What was sampled is trained, never text that was encoded again. An answer whose reward is
        null or not finite is trained on by nobody, and counted. Dropout is off. Metrics have the
        names of TRL 0.7. The same --run-id goes on from the newest checkpoint, to the same end.
        """,
        "conversations, preferences, instructions or documents, or files with their columns.",
        "a Hugging Face directory, or an adapter in PEFT's layout with --trainable lora, and with"
            + " ppo value_head.safetensors or value-model/, to --output-dir; the tables metrics,"
            + " rollouts and rejects (rules longer_than_max_length, no_user_turn, not_in_template,"
            + " empty).",
        "distillery ppo --model models/sft --input instructions --reward count:e=1"
            + " --trainable lora --output-dir out/ppo --max-steps 100");
  }

  @Override
  public Class<PpoOptions> optionsType() {
    return PpoOptions.class;
  }

  @Override
  public Class<PpoSummary> summaryType() {
    return PpoSummary.class;
  }

  @Override
  public RunOptions runOptions(PpoOptions options) {
    return options.run();
  }

  /** An update may be long, and its checkpoint large. */
  @Override
  public Duration grace() {
    return TrainingRun.GRACE;
  }

  @Override
  public void check(PpoOptions options) {
    ResultFolder.check(options.training().student(), otherModels(options));
    String model = options.training().student().model();
    for (String reward : options.rewards().reward()) {
      var unused = WeightedReward.parse(reward).function();
    }
    for (WeightedReward reward : options.rewardModels().models()) {
      checkRewardModel(options, reward.name());
    }
    try (Student student = Student.open(Path.of(model), 1)) {
      TrainedTokens.check(options.training().lora().trainTokens(), student.tokenizer());
      int context = student.config().maxPositions();
      if (options.maxLength().orElse(0) > context) {
        throw JobException.invalid(
            "Option --max-length: the model has a context of %s tokens, found %s; lower it"
                .formatted(context, options.maxLength().get()));
      }
      if (options.promptLength(context) < 1) {
        throw JobException.invalid(
            "Option --response-length: %s tokens leave no room for a prompt in %s"
                .formatted(
                    options.rollouts().responseLength(), options.maxLength().orElse(context)));
      }
      var unusedInputs =
          TemplateChoice.told(
              Path.of(model),
              options.template(),
              options.templateInputs(),
              LocalDate.now(ZoneOffset.UTC));
      BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
      if (options.update().refModel().isPresent()) {
        checkReference(options, context);
      }
      if (options.update().valueModel().isPresent()) {
        Path value = Path.of(options.update().valueModel().get());
        int length = options.promptLength(context) + options.rollouts().responseLength();
        ValueModel.check(value, Path.of(model), options.template(), length);
        BaseModelTerms.of(value).check(value.toString(), options.run().use());
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What is read beside the policy. */
  private static List<ResultFolder.Read> otherModels(PpoOptions options) {
    List<ResultFolder.Read> others = new ArrayList<>();
    UpdateOptions update = options.update();
    update.refModel().ifPresent(it -> others.add(new ResultFolder.Read("--ref-model", it)));
    update.valueModel().ifPresent(it -> others.add(new ResultFolder.Read("--value-model", it)));
    for (WeightedReward reward : options.rewardModels().models()) {
      others.add(new ResultFolder.Read("--reward-model", reward.name()));
    }
    return others;
  }

  private static void checkRewardModel(PpoOptions options, String model) {
    try {
      ModelReward.check(Path.of(model), options.rewardModels().rewardTemplate());
      BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --reward-model: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --reward-template: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void checkReference(PpoOptions options, int context) throws IOException {
    String reference = options.update().refModel().orElseThrow();
    int length = options.promptLength(context) + options.rollouts().responseLength();
    try (ModelFiles files = ModelFiles.open(Path.of(options.training().student().model()))) {
      FrozenModel.check("--ref-model", reference, files, length);
    }
    BaseModelTerms.of(Path.of(reference)).check(reference, options.run().use());
  }

  @Override
  public PpoOptions settled(PpoOptions options) {
    var end = Optional.of(options.missingEnd());
    return PpoOptionsBuilder.builder(options)
        .rewards(ScoringOptionsBuilder.builder(options.rewards()).missingEos(end).build())
        .build();
  }

  @Override
  public Map<String, String> settled(Map<String, String> recorded) {
    return PpoOptions.settled(recorded);
  }

  @Override
  public List<TableRef> inputs(PpoOptions options) {
    Stream<String> texts =
        options.ptx().ptxInput().stream().map(text -> WeightedRef.parse(text).ref());
    return Stream.of(options.input().stream(), options.evalInput().stream(), texts)
        .flatMap(refs -> refs)
        .map(TableRef::parse)
        .toList();
  }

  @Override
  public Outcome<PpoSummary> perform(JobRun run, PpoOptions options) throws IOException {
    String model = options.training().student().model();
    ShippedModel.ship(run.spark().sparkContext(), model);
    try (Student student = Student.open(Path.of(model), 1);
        RunRewards rewards = RunRewards.of(run, options)) {
      int most = options.promptLength(student.config().maxPositions());
      TemplateInputs told =
          TemplateChoice.told(run, Path.of(model), options.template(), options.templateInputs());
      PromptInputs inputs =
          PromptInputs.read(run, options.input(), model, options.template(), told, most);
      Optional<ChatTemplate> template =
          inputs.hasDialogues() ? Optional.of(template(student, options, told)) : Optional.empty();
      List<Integer> stops = stops(student, template);
      run.progress()
          .say(
              "Answers are drawn from all tokens at temperature %s and end at %s; no sampling default of the model's folder counts"
                  .formatted(options.rollouts().temperature(), stops));
      PromptInputs.Sums sums = run.phase("Count prompts", inputs::sums);
      if (run.dryRun()) {
        PolicyMethod method =
            method(
                run,
                options,
                rewards,
                PtxTexts.NONE,
                student,
                stops,
                Optional.empty(),
                Optional.empty());
        TrainingRun training = training(run, options, method, sums, template);
        return Outcome.done(
            new PpoSummary(
                run.summary(), training.plan().figures(), options.training().student().outputDir()),
            account(sums));
      }
      if (!sums.rejects().isEmpty()) {
        var unused =
            run.reject(inputs.rejects(sums).orElseThrow(), col("rule"), col("detail"), col("row"));
      }
      String folder = options.training().student().outputDir();
      ResultFolder.claim(folder, run.warehouse().hadoop());
      PromptTable prompts = inputs.write(folder + "/prompts", sums);
      Optional<PromptTable> held =
          options.evalInput().isEmpty()
              ? Optional.empty()
              : Optional.of(held(run, options, told, most));
      PtxTexts texts = PtxTexts.of(run, options, student, told);
      PolicyMethod method =
          method(run, options, rewards, texts, student, stops, Optional.of(prompts), held);
      TrainingRun training =
          rewards
              .identified(training(run, options, method, sums, template))
              .identifiedBy("ptx token tables", texts.key());
      TrainingResult result = held.map(training::evaluatedOn).orElse(training).train();
      Map<String, Number> figures = new TreeMap<>(result.figures());
      figures.put("prompts", sums.kept());
      PpoSummary summary = new PpoSummary(run.summary(), figures, result.output());
      if (result.interrupted().isPresent()) {
        return Outcome.stopped(ExitCode.TEMPORARY, result.interrupted().get(), summary);
      }
      List<ModelCard.Source> sources = new ArrayList<>(inputs.sources());
      sources.addAll(texts.sources());
      card(run, options, sources, summary)
          .write(new org.apache.hadoop.fs.Path(result.output()), run.warehouse().hadoop());
      return Outcome.done(summary, account(sums));
    }
  }

  /** The prompts that are only evaluated on. What of them is rejected is told. */
  private static PromptTable held(JobRun run, PpoOptions options, TemplateInputs told, int most) {
    StudentOptions student = options.training().student();
    PromptInputs held =
        PromptInputs.readBeside(
            run, options.evalInput(), student.model(), options.template(), told, most);
    PromptInputs.Sums sums = held.sums();
    if (!sums.rejects().isEmpty()) {
      run.progress().say("Not evaluated on, of --eval-input: " + new TreeMap<>(sums.rejects()));
    }
    return held.write(student.outputDir() + "/eval-prompts", sums);
  }

  private static ModelCard card(
      JobRun run, PpoOptions options, List<ModelCard.Source> sources, PpoSummary summary)
      throws IOException {
    Path model = Path.of(options.training().student().model());
    ModelCard card =
        new ModelCard(
            "Reinforcement learning of " + model.getFileName(),
            model.toString(),
            BaseModelTerms.of(model).license(),
            sources,
            OptionsBinder.of(PpoOptions.class).effective(options),
            summary.training());
    for (String name : List.of("reward", "kl")) {
      card.addCurve(name, TrainingInputs.curve(run, name));
    }
    return card;
  }

  private static RowAccount account(PromptInputs.Sums sums) {
    return RowAccount.of("rows", sums.read(), sums.kept()).rejects(sums.rejects());
  }

  private static ChatTemplate template(Student student, PpoOptions options, TemplateInputs told)
      throws IOException {
    try {
      return student.chatTemplate(options.template(), told);
    } catch (IllegalArgumentException e) {
      throw JobException.invalid("Option --template: " + e.getMessage());
    }
  }

  /** Every id that ends a text of the model, and what closes an answer of the template. */
  private static List<Integer> stops(Student student, Optional<ChatTemplate> template) {
    List<Integer> stops = new ArrayList<>(student.specialTokens().stop());
    template.ifPresent(
        chat -> {
          OptionalInt end = student.tokenizer().id(chat.answerEnd());
          if (end.isPresent() && !stops.contains(end.getAsInt())) {
            stops.add(end.getAsInt());
          }
        });
    return stops;
  }

  private static TrainingRun training(
      JobRun run,
      PpoOptions options,
      PolicyMethod method,
      PromptInputs.Sums sums,
      Optional<ChatTemplate> template)
      throws IOException {
    TrainingOptions given = options.training();
    // An optimiser step is a mini-batch: so many micro-batches, whose sums take memory.
    int perStep = options.update().miniBatchSize().orElse(options.rollouts().rolloutBatchSize());
    int microBatch = given.batch().batchSize();
    BatchOptions batch =
        BatchOptionsBuilder.builder(given.batch())
            .gradientAccumulationSteps((perStep + microBatch - 1) / microBatch)
            .build();
    // Adapters are sampled and trained without dropout, and their files say so.
    TrainingOptions training =
        options.lora()
            ? TrainingOptionsBuilder.builder(given)
                .lora(LoraOptionsBuilder.builder(given.lora()).dropout(0).build())
                .batch(batch)
                .build()
            : TrainingOptionsBuilder.builder(given).batch(batch).build();
    TrainingRun made =
        TrainingRun.of(
                run,
                training,
                options.run().randomSeed(),
                method.objective(),
                new PlannedRows(sums.kept(), sums.tokens(), sums.longest()))
            .stepping(method)
            .identifiedBy("prompts", sums.key())
            .identifiedBy(ScoringOptions.class, options.rewards())
            .identifiedBy(RewardModelOptions.class, options.rewardModels())
            .identifiedBy(PtxOptions.class, options.ptx())
            .identifiedBy(RolloutOptions.class, options.rollouts())
            .identifiedBy(UpdateOptions.class, options.update())
            .reading(PpoOptions::settled);
    made = template.map(made::writtenIn).orElse(made);
    Optional<String> value = options.update().valueModel();
    if (value.isPresent()) {
      made = made.identifiedBy("value model", ValueModel.hash(Path.of(value.get())));
    }
    Optional<String> reference = options.update().refModel();
    return reference.isPresent()
        ? made.identifiedBy("reference", ModelHash.of(Path.of(reference.get())))
        : made;
  }

  private static PolicyMethod method(
      JobRun run,
      PpoOptions options,
      RunRewards rewards,
      PtxTexts texts,
      Student student,
      List<Integer> stops,
      Optional<PromptTable> prompts,
      Optional<PromptTable> held)
      throws IOException {
    UpdateOptions update = options.update();
    boolean critic = update.algorithm().hasCritic();
    var loss =
        new PolicyLoss.Options(
            options.rollouts().temperature(),
            update.cliprange(),
            update.cliprangeValue(),
            critic ? update.vfCoef() : 0,
            update.entropyCoef(),
            update.algorithm() == Algorithm.GRPO ? update.klCoef() : 0);
    var objective =
        new PolicyObjective(
            loss,
            critic,
            reference(run, options),
            rewards.heldBytes(),
            texts.rows().isPresent() ? options.ptx().ptxCoef() : 0);
    return new PolicyMethod(
        settings(options, stops),
        objective,
        valueModel(run, options),
        prompts,
        held,
        texts.rows(),
        rewards.rewards(),
        student.tokenizer(),
        run.progress());
  }

  /** The model given, or a copy of the policy as it begins; none where adapters can be left out. */
  private static Optional<FrozenModel> reference(JobRun run, PpoOptions options)
      throws IOException {
    Optional<String> given = options.update().refModel();
    if (given.isEmpty() && options.lora()) {
      return Optional.empty();
    }
    String model = options.training().student().model();
    return Optional.of(
        FrozenModel.of(run.spark().sparkContext(), "--ref-model", given.orElse(model), model));
  }

  private static Optional<FrozenModel> valueModel(JobRun run, PpoOptions options)
      throws IOException {
    Optional<String> given = options.update().valueModel();
    if (given.isEmpty()) {
      return Optional.empty();
    }
    StudentOptions student = options.training().student();
    return Optional.of(
        ValueModel.of(run, Path.of(given.get()), student.model(), student.outputDir()));
  }

  private static Settings settings(PpoOptions options, List<Integer> stops) {
    UpdateOptions update = options.update();
    ScoringOptions rewards = options.rewards();
    RolloutOptions rollouts = options.rollouts();
    int answers = rollouts.rolloutBatchSize();
    boolean grpo = update.algorithm() == Algorithm.GRPO;
    return new Settings(
        options.run().randomSeed(),
        answers,
        options.generations(),
        update.ppoEpochs(),
        update.miniBatchSize().orElse(answers),
        options.training().batch().batchSize(),
        rollouts.decodeBatchSize(),
        options.lengths(),
        stops,
        new Experience.Settings(
            update.algorithm(),
            update.klEstimator(),
            update.gamma(),
            update.gaeLambda(),
            update.whiten().rewards(),
            update.whiten().advantages(),
            update.whitenVariance()),
        new ScoreRules(
            rewards.rewardBaseline(),
            rewards.scoreScaling(),
            rewards.scoreClip(),
            options.missingEnd(),
            rewards.missingEosPenalty()),
        new Settings.Controller(
            grpo ? KlController.Kind.FIXED : update.klController(),
            update.klCoef(),
            update.targetKl(),
            update.klHorizon()),
        update.earlyStopKl(),
        update.emaDecay());
  }
}
