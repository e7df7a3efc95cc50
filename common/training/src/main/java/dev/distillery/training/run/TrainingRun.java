package dev.distillery.training.run;

import com.sun.management.OperatingSystemMXBean;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.CounterRandom;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.ModelHash;
import dev.distillery.model.train.AdamW;
import dev.distillery.model.train.Schedule;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.RunStop;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.training.tokens.PlannedRows;
import dev.distillery.training.tokens.TokenRows;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.UUID;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * One training run: the loop that every training job shares.
 *
 * <pre>{@code
 * TrainingResult result =
 *     TrainingRun.of(run, options, seed, new NextTokenObjective(), rows).evaluatedOn(held).train();
 * }</pre>
 *
 * <p>It begins from the weights that {@code --model} names; who trains from scratch writes fresh
 * weights there first. It writes the table {@code metrics} through the {@link JobRun}, and into
 * {@code --output-dir} the model (a Hugging Face directory, with the tokenizer of {@code --model})
 * or the adapter (PEFT's layout), {@code checkpoint-<step>}, {@code metrics} and {@code runs}
 * (TensorBoard). Called again with the same run id and output folder it goes on from the newest
 * whole checkpoint; with a later end than the one that was reached, too.
 */
public final class TrainingRun {
  /** The time that a step and its checkpoint get once the run is told to end. */
  public static final Duration GRACE = Duration.ofMinutes(10);

  /** Sites of the seed. */
  private static final int ORDER = 1;

  private static final int DROPOUT = 2;

  private static final int ADAPTERS = 3;

  /** Rows that a plan looks at to estimate tokens. */
  private static final int SAMPLED_ROWS = 1000;

  private final JobRun run;
  private final TrainingOptions options;
  private final long seed;
  private final TrainingObjective objective;
  private final TokenRows train;
  private final Optional<TokenRows> eval;
  private final Map<String, String> facts;
  private final List<String> classes;
  private final Parts parts;

  /**
   * Runs that belong together.
   *
   * @param part whether this is a part of another, which publishes for it
   * @param before folders of the parts that this one publishes for
   */
  private record Parts(boolean part, List<String> before) {
    static final Parts NONE = new Parts(false, List.of());
  }

  private TrainingRun(
      JobRun run,
      TrainingOptions options,
      long seed,
      TrainingObjective objective,
      TokenRows train,
      Optional<TokenRows> eval,
      Map<String, String> facts,
      List<String> classes,
      Parts parts) {
    this.run = run;
    this.options = options;
    this.seed = seed;
    this.objective = objective;
    this.train = train;
    this.eval = eval;
    this.facts = facts;
    this.classes = classes;
    this.parts = parts;
  }

  /**
   * A run over rows.
   *
   * @param seed of the order of rows, of dropout and of fresh adapters
   * @param train at least one row
   */
  public static TrainingRun of(
      JobRun run,
      TrainingOptions options,
      long seed,
      TrainingObjective objective,
      TokenRows train) {
    if (train.size() == 0) {
      throw JobException.invalid(
          "There is no row to train on: look at the rejects, and at how rows are made");
    }
    return new TrainingRun(
        run, options, seed, objective, train, Optional.empty(), Map.of(), List.of(), Parts.NONE);
  }

  /** The same run, evaluated on rows of their own; of no rows, not at all. */
  public TrainingRun evaluatedOn(TokenRows rows) {
    Optional<TokenRows> some = rows.size() == 0 ? Optional.empty() : Optional.of(rows);
    return new TrainingRun(run, options, seed, objective, train, some, facts, classes, parts);
  }

  /**
   * The same run, known by a fact of the job's own too, such as the key of its token table: a
   * checkpoint of another value is refused.
   */
  public TrainingRun identifiedBy(String name, String value) {
    var more = new TreeMap<>(facts);
    more.put(name, value);
    return new TrainingRun(run, options, seed, objective, train, eval, more, classes, parts);
  }

  /**
   * The same run with a linear head on each row's last token, which tells these classes apart. It
   * is drawn from the seed where the model has none.
   *
   * @param names in the order of the head's outputs; none leaves the model its own head
   */
  public TrainingRun classifying(List<String> names) {
    return new TrainingRun(
        run, options, seed, objective, train, eval, facts, List.copyOf(names), parts);
  }

  /**
   * The same recipe on other rows, in a folder of its own in the output folder. Its figures are
   * published by a run {@link #after} it.
   */
  public TrainingRun part(String folder, TokenRows rows) {
    StudentOptions student =
        StudentOptionsBuilder.builder(options.student())
            .outputDir(options.student().outputDir() + "/" + folder)
            .build();
    TrainingOptions there = TrainingOptionsBuilder.builder(options).student(student).build();
    return new TrainingRun(
        run, there, seed, objective, rows, eval, facts, classes, new Parts(true, List.of()));
  }

  /** The same run over other rows. */
  public TrainingRun over(TokenRows rows) {
    return new TrainingRun(run, options, seed, objective, rows, eval, facts, classes, parts);
  }

  /** The same run, which publishes the figures of parts that were trained before it, too. */
  public TrainingRun after(List<String> folders) {
    return new TrainingRun(
        run,
        options,
        seed,
        objective,
        train,
        eval,
        facts,
        classes,
        new Parts(false, List.copyOf(folders)));
  }

  private void refuseWhatNeedsAnEvaluation() {
    SavingOptions saving = options.saving();
    if (eval.isEmpty() && (saving.evalSteps().isPresent() || saving.best().isPresent())) {
      throw JobException.invalid(
          "Options --eval-steps, --best-by and --early-stop need rows to evaluate on, and there are"
              + " none: give --eval-input");
    }
  }

  /** What the run will take, without any of it: for a dry run. */
  public TrainingPlan plan() {
    try (ModelFiles files = open()) {
      return plan(spec("").config(files), memory(files, lengths(order())));
    } catch (IOException e) {
      throw cannotRead(e);
    }
  }

  /** As {@link #plan()}, of a new model of this shape, whose weights do not lie anywhere yet. */
  public TrainingPlan plan(ModelConfig config) {
    return plan(config, memory(config, objective.heldBytes(), lengths(order())));
  }

  private TrainingPlan plan(ModelConfig config, MemoryPlan memory) {
    refuseWhatNeedsAnEvaluation();
    StepOrder order = order();
    long total = totalSteps(order);
    Lengths lengths = lengths(order);
    double tokens = lengths.mean() * train.size();
    double epochs = (double) total / order.stepsPerEpoch();
    BatchOptions batch = options.batch();
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("rows", train.size());
    figures.put("eval_rows", eval.map(TokenRows::size).orElse(0L));
    figures.put("steps_per_epoch", order.stepsPerEpoch());
    figures.put("total_steps", total);
    figures.put("epochs", epochs);
    figures.put("tokens_per_epoch", Math.round(tokens));
    figures.put("total_tokens", Math.round(tokens * epochs));
    figures.put("parameters", config.parameterCount());
    figures.put("trained_parameters", memory.moved());
    figures.put("memory_bytes", memory.bytes(batch.batchSize(), batch.gradientAccumulationSteps()));
    memory.objection(batch, machineMemory()).ifPresent(run.progress()::say);
    memory
        .fitting(batch, machineMemory())
        .ifPresent(
            fitting -> {
              figures.put("fitting_batch_size", fitting.batchSize());
              figures.put("fitting_gradient_accumulation_steps", fitting.accumulation());
            });
    double flops =
        ModelEstimate.of(config).trainingFlopsPerToken(trained(), (int) Math.ceil(lengths.mean()))
            * tokens
            * epochs;
    figures.put("flops", flops);
    figures.putAll(SpeedProbe.cost(flops, options.workers(), run.progress()));
    try {
      Optional<TrainingState> found = standing();
      long taken = found.map(TrainingState::step).orElse(0L);
      figures.put("steps_taken", taken);
      figures.put("next_learning_rate", schedule(total).rate(taken));
      found
          .flatMap(at -> TrainingLoop.longer(schedule(total), warmup(), at))
          .ifPresent(run.progress()::say);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the output folder: " + e.getMessage(), e);
    }
    return new TrainingPlan(train.size(), order.stepsPerEpoch(), total, memory.moved(), figures);
  }

  /**
   * Tokens of a row, in a sample.
   *
   * @param longest of the sample
   */
  private record Lengths(double mean, int longest) {}

  private Lengths lengths(StepOrder order) {
    if (train instanceof PlannedRows planned) {
      return new Lengths((double) planned.tokens() / planned.size(), planned.longest());
    }
    long sampled = Math.min(SAMPLED_ROWS, train.size());
    long tokens = 0;
    int longest = 1;
    for (long i = 0; i < sampled; i++) {
      int length = train.row(order.order().row(0, i)).ids().length;
      tokens += length;
      longest = Math.max(longest, length);
    }
    return new Lengths((double) tokens / sampled, longest);
  }

  private ModelEstimate.Trained trained() {
    return options.student().trainable() == StudentOptions.Trainable.FULL
        ? ModelEstimate.Trained.FULL
        : ModelEstimate.Trained.ADAPTERS;
  }

  private MemoryPlan memory(ModelFiles files, Lengths lengths) {
    ModelConfig config = spec("").config(files);
    boolean lora = options.student().trainable() == StudentOptions.Trainable.LORA;
    FrozenForm form = spec("").frozenForm(files.gguf().isPresent());
    long held = MemoryPlan.held(files, lora ? 0 : trainedParameters(config), form);
    return memory(config, objective.heldBytes() + held, lengths);
  }

  private MemoryPlan memory(ModelConfig config, long held, Lengths lengths) {
    return new MemoryPlan(
        held,
        trainedParameters(config),
        config,
        lengths.longest(),
        options.student().gradientCheckpointing());
  }

  private static long machineMemory() {
    var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return system.getTotalMemorySize();
  }

  /** Where an earlier try of this run stands. */
  private Optional<TrainingState> standing() throws IOException {
    OutputFolder folder = OutputFolder.at(options.student().outputDir(), run.warehouse().hadoop());
    return new Checkpoints(folder, run.id(), Map.of()).newest();
  }

  private double warmup() {
    return options.schedule().warmupSteps();
  }

  private long trainedParameters(ModelConfig config) {
    return switch (options.student().trainable()) {
      case FULL -> config.parameterCount();
      case LORA ->
          DecoderLayout.slots(config, spec("").adapters(config).orElseThrow()).stream()
                  .mapToLong(Slot::size)
                  .sum()
              + (long) config.labels() * config.hiddenSize();
      case HEAD ->
          (long) (config.labels() > 0 ? config.labels() : config.vocabSize()) * config.hiddenSize();
    };
  }

  private ModelFiles open() throws IOException {
    return ModelFiles.open(Path.of(options.student().model()));
  }

  private UncheckedIOException cannotRead(IOException e) {
    return new UncheckedIOException(
        "Cannot read the model " + options.student().model() + ": " + e.getMessage(), e);
  }

  private StepOrder order() {
    return new StepOrder(
        new RowOrder(train.size(), CounterRandom.key(seed, ORDER), options.batch().shuffle()),
        options.batch().batchSize(),
        options.batch().gradientAccumulationSteps());
  }

  private long totalSteps(StepOrder order) {
    return options
        .schedule()
        .maxSteps()
        .orElseGet(() -> order.stepsPerEpoch() * options.schedule().numEpochs());
  }

  private Schedule schedule(long total) {
    ScheduleOptions given = options.schedule();
    return new Schedule(
        given.lrSchedule(),
        options.learningRate(),
        Schedule.warmupSteps(warmup(), total),
        total,
        given.minLrRatio());
  }

  private PolicySpec spec(String fingerprint) {
    return new PolicySpec(
        options.student().model(),
        fingerprint,
        switch (options.student().trainable()) {
          case FULL -> Trainable.FULL;
          case LORA -> Trainable.LORA;
          case HEAD -> Trainable.HEAD;
        },
        options.lora(),
        options.student().dtype(),
        options.student().gradientCheckpointing(),
        classes,
        CounterRandom.key(seed, ADAPTERS));
  }

  /** What may not change between two tries. */
  private Map<String, String> identity(int workers) throws IOException {
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
    identity.putAll(facts);
    return identity;
  }

  /**
   * Trains, or goes on from the newest whole checkpoint of the output folder.
   *
   * @throws JobException where a checkpoint belongs to other options, or a step's loss or gradient
   *     is not finite
   */
  public TrainingResult train() {
    return train(Clock.systemUTC());
  }

  private TrainingResult train(Clock clock) {
    refuseWhatNeedsAnEvaluation();
    try (ModelFiles files = open();
        RunStop.Part part = run.stop().endsItself()) {
      SparkContext context = run.spark().sparkContext();
      Cluster cluster =
          Cluster.of(
              context,
              options.workers().workers().map(OptionalInt::of).orElse(OptionalInt.empty()));
      Map<String, String> identity = identity(cluster.workers());
      PolicySpec spec = spec(context.isLocal() ? "" : identity.getOrDefault("model", ""));
      OutputFolder folder =
          OutputFolder.at(options.student().outputDir(), run.warehouse().hadoop());
      var saved = new Checkpoints(folder, run.id(), identity);
      Checkpoints checkpoints = run.overwrites() ? saved.replacing() : saved;
      StepOrder order = order();
      long total = totalSteps(order);
      var plan =
          new StepPlan(
              order,
              train,
              objective,
              schedule(total),
              options.student().dropout(),
              options.student().trainable() == StudentOptions.Trainable.LORA
                  ? options.lora().dropout()
                  : 0,
              CounterRandom.key(seed, DROPOUT));
      try (Engine engine = engine(context, cluster, spec, files);
          Stepper stepper = stepper(plan, engine)) {
        var loop =
            new TrainingLoop(
                new TrainingLoop.Inputs(options, plan, eval, samples(files, spec), total),
                engine,
                stepper,
                checkpoints,
                new MetricLog(folder, clock),
                folder,
                run.progress());
        TrainingResult result =
            loop.run(
                run.stop(),
                () -> {
                  if (options.student().adapter().isPresent()) {
                    Policy.readAdapter(
                        engine.parameters(),
                        spec,
                        spec.config(files),
                        options.student().adapter().get());
                  }
                },
                folder.root().toString());
        if (result.interrupted().isEmpty()) {
          loop.toResult(result.resultStep());
          result = result.with(loop.samples());
          new ResultWriter(folder, spec, options.student().dtype())
              .write(files, engine.parameters());
          if (!parts.part()) {
            loop.publish(run, parts.before());
          }
        }
        return result;
      }
    } catch (IllegalArgumentException e) {
      // A module that is not there, a head that is the embedding: the student's own words.
      throw JobException.invalid(String.valueOf(e.getMessage()));
    } catch (IOException e) {
      throw new UncheckedIOException("Training stopped: " + e.getMessage(), e);
    }
  }

  private Optional<Samples> samples(ModelFiles files, PolicySpec spec) throws IOException {
    return eval.isEmpty()
        ? Optional.empty()
        : Samples.of(files, spec.config(files).labels() == 0, eval.get(), options.saving());
  }

  private Stepper stepper(StepPlan plan, Engine engine) {
    AdamW.Options constants =
        new AdamW.Options(
            options.optimizer().beta1(),
            options.optimizer().beta2(),
            options.optimizer().epsilon(),
            options.optimizer().weightDecay(),
            options.optimizer().maxGradNorm());
    if (engine instanceof SparkEngine spark && options.workers().localSteps() > 1) {
      if (options.batch().gradientAccumulationSteps() < spark.workers()) {
        throw JobException.invalid(
            "Option --local-steps: each of %d workers needs a micro-batch of each step, and --gradient-accumulation-steps is %d"
                .formatted(spark.workers(), options.batch().gradientAccumulationSteps()));
      }
      return new LocalSteps(plan, spark, options.workers(), constants);
    }
    return new EveryStep(plan, engine, new AdamW(engine.kernels(), engine.parameters(), constants));
  }

  private Engine engine(SparkContext context, Cluster cluster, PolicySpec spec, ModelFiles files)
      throws IOException {
    if (context.isLocal()) {
      refuseWhatCannotFit(files);
    }
    if (context.isLocal() && cluster.workers() == 1 && options.workers().localSteps() == 1) {
      return new LocalEngine(Policy.open(spec, files.path(), objective, cluster.threads()));
    }
    ShippedModel.ship(context, spec.model());
    Kernels kernels = KernelSets.create(Runtime.getRuntime().availableProcessors());
    // Another name for each try: executors of a session that goes on may hold the last one's
    // weights.
    return new SparkEngine(
        JavaSparkContext.fromSparkContext(context),
        run.id() + "/" + UUID.randomUUID(),
        spec,
        objective,
        cluster,
        kernels,
        trained(kernels, spec, files));
  }

  /** Before anything is allocated. */
  private void refuseWhatCannotFit(ModelFiles files) {
    memory(files, lengths(order()))
        .objection(options.batch(), machineMemory())
        .ifPresent(
            why -> {
              throw JobException.invalid(why);
            });
  }

  /** The trained weights as training begins. */
  private static ParameterSpace trained(Kernels kernels, PolicySpec spec, ModelFiles files)
      throws IOException {
    ModelConfig config = spec.config(files);
    return Weights.openTrained(
        config, kernels, files.weights(), spec.trainable(), spec.adapters(config), spec.seed());
  }
}
