package dev.distillery.training.run;

import com.sun.management.OperatingSystemMXBean;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.Schedule;
import dev.distillery.training.tokens.PlannedRows;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TrainedTokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a run is made of, and all that follows from it before anything is computed: the order of
 * rows, the number of steps, the rate over them, what is trained, and the memory that it takes.
 *
 * @param seed of the order of rows, of dropout and of what the model's file does not have
 * @param train at least one row
 * @param eval rows that are only evaluated on
 * @param facts of the job's own that a checkpoint may not change
 * @param classes that a new sequence head tells apart
 * @param method how a step is taken, where it is not by one gradient over its rows
 */
record RunSetup(
    TrainingOptions options,
    long seed,
    TrainingObjective objective,
    TokenRows train,
    Optional<TokenRows> eval,
    RunFacts facts,
    List<String> classes,
    Optional<StepMethod> method,
    Optional<ChatTemplate> template) {
  /** Sites of the seed. */
  private static final int ORDER = 1;

  private static final int DROPOUT = 2;

  private static final int ADAPTERS = 3;

  private static final int VALUE_ADAPTERS = 4;

  /** Rows that a plan looks at to estimate tokens. */
  private static final int SAMPLED_ROWS = 1000;

  RunSetup {
    classes = List.copyOf(classes);
  }

  /** A run over rows, known by its options alone. */
  static RunSetup of(
      TrainingOptions options, long seed, TrainingObjective objective, TokenRows train) {
    return new RunSetup(
        options,
        seed,
        objective,
        train,
        Optional.empty(),
        RunFacts.NONE,
        List.of(),
        Optional.empty(),
        Optional.empty());
  }

  RunSetup writtenIn(Optional<ChatTemplate> by) {
    return new RunSetup(options, seed, objective, train, eval, facts, classes, method, by);
  }

  RunSetup evaluatedOn(Optional<TokenRows> rows) {
    return new RunSetup(options, seed, objective, train, rows, facts, classes, method, template);
  }

  RunSetup identifiedBy(RunFacts all) {
    return new RunSetup(options, seed, objective, train, eval, all, classes, method, template);
  }

  RunSetup classifying(List<String> names) {
    return new RunSetup(options, seed, objective, train, eval, facts, names, method, template);
  }

  RunSetup stepping(StepMethod by) {
    return new RunSetup(
        options, seed, objective, train, eval, facts, classes, Optional.of(by), template);
  }

  RunSetup over(TokenRows rows) {
    return new RunSetup(options, seed, objective, rows, eval, facts, classes, method, template);
  }

  RunSetup with(TrainingOptions others) {
    return new RunSetup(others, seed, objective, train, eval, facts, classes, method, template);
  }

  void refuseWhatNeedsAnEvaluation() {
    SavingOptions saving = options.saving();
    if (eval.isEmpty() && (saving.evalSteps().isPresent() || saving.best().isPresent())) {
      throw JobException.invalid(
          "Options --eval-steps, --best-by and --early-stop need rows to evaluate on, and there are"
              + " none: give --eval-input");
    }
  }

  /** Which rows make up which step. */
  StepOrder order() {
    boolean shuffled = options.batch().shuffle();
    var rows = new RowOrder(train.size(), CounterRandom.key(seed, ORDER), shuffled);
    return method
        .map(by -> new StepOrder(rows, by.rowsPerStep(), 1))
        .orElseGet(
            () ->
                new StepOrder(
                    rows,
                    options.batch().batchSize(),
                    options.batch().gradientAccumulationSteps()));
  }

  long totalSteps() {
    return options
        .schedule()
        .maxSteps()
        .orElseGet(() -> order().stepsPerEpoch() * options.schedule().numEpochs());
  }

  double warmup() {
    return options.schedule().warmupSteps();
  }

  Schedule schedule() {
    ScheduleOptions given = options.schedule();
    long total = totalSteps();
    return new Schedule(
        given.lrSchedule(),
        options.learningRate(),
        Schedule.warmupSteps(warmup(), total),
        total,
        given.minLrRatio());
  }

  StepPlan steps() {
    return new StepPlan(
        order(),
        train,
        objective,
        schedule(),
        options.student().dropout(),
        lora() ? options.lora().dropout() : 0,
        CounterRandom.key(seed, DROPOUT));
  }

  AdamW.Options optimizer() {
    OptimizerOptions given = options.optimizer();
    return new AdamW.Options(
        given.beta1(), given.beta2(), given.epsilon(), given.weightDecay(), given.maxGradNorm());
  }

  boolean lora() {
    return options.student().trainable() == StudentOptions.Trainable.LORA;
  }

  /** Ids whose rows are trained beside the policy's adapters. */
  private List<Integer> tokens() {
    List<String> given = options.lora().trainTokens();
    if (!lora() || given.isEmpty()) {
      return List.of();
    }
    try (ModelFiles files = open()) {
      return TrainedTokens.of(given, files, template);
    } catch (IOException e) {
      throw cannotRead(e);
    }
  }

  /** What is trained of which model; of a value network, no rows of tokens. */
  PolicySpec spec(String fingerprint) {
    return spec(
        options.student().model(),
        fingerprint,
        tokens(),
        method.map(StepMethod::valueHead).orElse(false),
        ADAPTERS,
        method
            .flatMap(StepMethod::valueModel)
            .map(value -> spec(value.model(), value.hash(), List.of(), true, VALUE_ADAPTERS, null))
            .orElse(null));
  }

  private PolicySpec spec(
      String model,
      String fingerprint,
      List<Integer> tokens,
      boolean valueHead,
      int site,
      @Nullable PolicySpec value) {
    return new PolicySpec(
        model,
        fingerprint,
        switch (options.student().trainable()) {
          case FULL -> Trainable.FULL;
          case LORA -> Trainable.LORA;
          case HEAD -> Trainable.HEAD;
        },
        options.lora(),
        tokens,
        options.student().dtype(),
        options.student().gradientCheckpointing(),
        classes,
        valueHead,
        CounterRandom.key(seed, site),
        value);
  }

  /** What may not change between two tries. */
  Map<String, String> identity(int workers) throws IOException {
    var identity = new TreeMap<>(OptionsBinder.of(TrainingOptions.class).decisive(options));
    identity.put("random-seed", "" + seed);
    identity.put("model", ModelHash.of(Path.of(options.student().model())));
    identity.put("rows", "" + train.size());
    identity.put("objective", objective.getClass().getSimpleName());
    if (!classes.isEmpty()) {
      identity.put("classes", "" + classes);
    }
    if (options.workers().localSteps() > 1) {
      identity.put("workers", "" + workers);
    }
    identity.putAll(facts.now());
    return identity;
  }

  /** An earlier version's identity as this version writes it. */
  Map<String, String> asNow(Map<String, String> earlier) {
    var now =
        new TreeMap<>(
            facts.earlier().apply(OptionsBinder.of(TrainingOptions.class).decisiveOf(earlier)));
    // An option that changes no result, but a fact of steps on one's own.
    Optional.ofNullable(earlier.get("workers")).ifPresent(workers -> now.put("workers", workers));
    return now;
  }

  /**
   * Tokens of a row, in a sample.
   *
   * @param longest of the sample
   */
  record Lengths(double mean, int longest) {}

  Lengths lengths() {
    int more = method.map(StepMethod::writtenTokens).orElse(0);
    if (train instanceof PlannedRows planned) {
      double mean = (double) planned.tokens() / planned.size();
      return new Lengths(mean + more, planned.longest() + more);
    }
    RowOrder order = order().order();
    long sampled = Math.min(SAMPLED_ROWS, train.size());
    long tokens = 0;
    int longest = 1;
    for (long i = 0; i < sampled; i++) {
      int length = train.row(order.row(0, i)).ids().length;
      tokens += length;
      longest = Math.max(longest, length);
    }
    return new Lengths((double) tokens / sampled + more, longest + more);
  }

  ModelEstimate.Trained trained() {
    return options.student().trainable() == StudentOptions.Trainable.FULL
        ? ModelEstimate.Trained.FULL
        : ModelEstimate.Trained.ADAPTERS;
  }

  MemoryPlan memory(ModelFiles files) {
    PolicySpec spec = spec("");
    MemoryPlan own = memory(spec, files, objective.heldBytes());
    if (spec.network().isEmpty()) {
      return own;
    }
    PolicySpec value = spec.network().get();
    try (ModelFiles network = ModelFiles.open(Path.of(value.model()))) {
      return own.beside(memory(value, network, 0));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the model " + value.model(), e);
    }
  }

  private MemoryPlan memory(PolicySpec spec, ModelFiles files, long beside) {
    ModelConfig config = spec.config(files);
    FrozenForm form = spec.frozenForm(files.gguf().isPresent());
    long held = MemoryPlan.held(files, lora() ? 0 : trainedParameters(spec, config), form);
    return memory(spec, config, beside + held);
  }

  MemoryPlan memory(ModelConfig config, long held) {
    return memory(spec(""), config, held);
  }

  private MemoryPlan memory(PolicySpec spec, ModelConfig config, long held) {
    return new MemoryPlan(
        held,
        trainedParameters(spec, config),
        List.of(config),
        lengths().longest(),
        options.student().gradientCheckpointing());
  }

  static long machineMemory() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getTotalMemorySize();
  }

  private long trainedParameters(PolicySpec spec, ModelConfig config) {
    long head =
        spec.valueHead() ? DecoderLayout.valueHead(config).stream().mapToLong(Slot::size).sum() : 0;
    return head
        + switch (options.student().trainable()) {
          case FULL -> config.parameterCount();
          case LORA ->
              DecoderLayout.slots(config, spec.adapters(config).orElseThrow()).stream()
                      .mapToLong(Slot::size)
                      .sum()
                  + (long) config.labels() * config.hiddenSize();
          case HEAD ->
              (long) (config.labels() > 0 ? config.labels() : config.vocabSize())
                  * config.hiddenSize();
        };
  }

  ModelFiles open() throws IOException {
    return ModelFiles.open(Path.of(options.student().model()));
  }

  UncheckedIOException cannotRead(IOException e) {
    return new UncheckedIOException(
        "Cannot read the model " + options.student().model() + ": " + e.getMessage(), e);
  }
}
