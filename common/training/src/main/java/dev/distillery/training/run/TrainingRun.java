package dev.distillery.training.run;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.model.train.AdamW;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.RunStop;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.training.tokens.TemplateTokens;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TrainedTokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.UUID;
import java.util.function.UnaryOperator;
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

  private final JobRun run;
  private final RunSetup setup;
  private final Parts parts;
  private final Optional<Finish> finish;

  /**
   * Runs that belong together.
   *
   * @param part whether this is a part of another, which publishes for it
   * @param before folders of the parts that this one publishes for
   */
  private record Parts(boolean part, List<String> before) {
    static final Parts NONE = new Parts(false, List.of());
  }

  private TrainingRun(JobRun run, RunSetup setup, Parts parts, Optional<Finish> finish) {
    this.run = run;
    this.setup = setup;
    this.parts = parts;
    this.finish = finish;
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
        run, RunSetup.of(options, seed, objective, train), Parts.NONE, Optional.empty());
  }

  /** The same run, evaluated on rows of their own; of no rows, not at all. */
  public TrainingRun evaluatedOn(TokenRows rows) {
    Optional<TokenRows> some = rows.size() == 0 ? Optional.empty() : Optional.of(rows);
    return new TrainingRun(run, setup.evaluatedOn(some), parts, finish);
  }

  /**
   * The same run, known by a fact of the job's own too, such as the key of its token table: a
   * checkpoint of another value is refused.
   */
  public TrainingRun identifiedBy(String name, String value) {
    return identifiedBy(setup.facts().with(name, value));
  }

  /**
   * The same run, known by a group of the job's own options too. Those that the checkpoint of an
   * earlier version does not name had their defaults.
   */
  public <T extends Record> TrainingRun identifiedBy(Class<T> type, T options) {
    return identifiedBy(setup.facts().with(type, options));
  }

  /**
   * The same run, which reads what an earlier version's checkpoint is known by as this version
   * would have written it.
   */
  public TrainingRun reading(UnaryOperator<Map<String, String>> earlier) {
    return identifiedBy(setup.facts().with(Map.of(), earlier));
  }

  private TrainingRun identifiedBy(RunFacts facts) {
    return new TrainingRun(run, setup.identifiedBy(facts), parts, finish);
  }

  /**
   * The same run with a linear head on each row's last token, which tells these classes apart. It
   * is drawn from the seed where the model has none.
   *
   * @param names in the order of the head's outputs; none leaves the model its own head
   */
  public TrainingRun classifying(List<String> names) {
    return new TrainingRun(run, setup.classifying(names), parts, finish);
  }

  /**
   * The same run, whose steps are not one gradient over some rows: reinforcement learning, whose
   * rows are prompts.
   */
  public TrainingRun stepping(StepMethod method) {
    return new TrainingRun(run, setup.stepping(method), parts, finish);
  }

  /**
   * The same run, whose rows are written in a template: its marks are what {@code --train-tokens
   * auto} asks for, and what a run that leaves the embedding as it is warns of.
   */
  public TrainingRun writtenIn(ChatTemplate template) {
    return new TrainingRun(run, setup.writtenIn(Optional.of(template)), parts, finish);
  }

  /** The same run, whose result is finished before it is written. */
  public TrainingRun finishing(Finish by) {
    return new TrainingRun(run, setup, parts, Optional.of(by));
  }

  /**
   * The same recipe on other rows, in a folder of its own in the output folder. Its figures are
   * published by a run {@link #after} it.
   */
  public TrainingRun part(String folder, TokenRows rows) {
    TrainingOptions options = setup.options();
    StudentOptions student =
        StudentOptionsBuilder.builder(options.student())
            .outputDir(options.student().outputDir() + "/" + folder)
            .build();
    TrainingOptions there = TrainingOptionsBuilder.builder(options).student(student).build();
    return new TrainingRun(run, setup.with(there).over(rows), new Parts(true, List.of()), finish);
  }

  /** The same run over other rows. */
  public TrainingRun over(TokenRows rows) {
    return new TrainingRun(run, setup.over(rows), parts, finish);
  }

  /** The same run, which publishes the figures of parts that were trained before it, too. */
  public TrainingRun after(List<String> folders) {
    return new TrainingRun(run, setup, new Parts(false, List.copyOf(folders)), finish);
  }

  /** What the run will take, without any of it: for a dry run. */
  public TrainingPlan plan() {
    try (ModelFiles files = setup.open()) {
      PolicySpec spec = setup.spec("");
      sayTokens(spec, files);
      return plan(spec.config(files), setup.memory(files));
    } catch (IOException e) {
      throw setup.cannotRead(e);
    }
  }

  /** As {@link #plan()}, of a new model of this shape, whose weights do not lie anywhere yet. */
  public TrainingPlan plan(ModelConfig config) {
    return plan(config, setup.memory(config, setup.objective().heldBytes()));
  }

  private TrainingPlan plan(ModelConfig config, MemoryPlan memory) {
    setup.refuseWhatNeedsAnEvaluation();
    StepOrder order = setup.order();
    TokenRows train = setup.train();
    long total = setup.totalSteps();
    RunSetup.Lengths lengths = setup.lengths();
    double tokens =
        lengths.mean() * train.size() * setup.method().map(StepMethod::copies).orElse(1);
    double epochs = (double) total / order.stepsPerEpoch();
    // A method's steps all take as many rows, whatever is left of an epoch.
    double allTokens =
        setup
            .method()
            .map(by -> lengths.mean() * total * by.rowsPerStep() * by.copies())
            .orElse(tokens * epochs);
    BatchOptions batch = setup.options().batch();
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("rows", train.size());
    figures.put("eval_rows", setup.eval().map(TokenRows::size).orElse(0L));
    figures.put("steps_per_epoch", order.stepsPerEpoch());
    figures.put("total_steps", total);
    figures.put("epochs", epochs);
    figures.put("tokens_per_epoch", Math.round(tokens));
    figures.put("total_tokens", Math.round(allTokens));
    figures.put("parameters", config.parameterCount());
    figures.put("trained_parameters", memory.moved());
    figures.put("trained_tokens", setup.spec("").tokens().size());
    figures.put("memory_bytes", memory.bytes(batch.batchSize(), batch.gradientAccumulationSteps()));
    memory.objection(batch, RunSetup.machineMemory()).ifPresent(run.progress()::say);
    memory
        .fitting(batch, RunSetup.machineMemory())
        .ifPresent(
            fitting -> {
              figures.put("fitting_batch_size", fitting.batchSize());
              figures.put("fitting_gradient_accumulation_steps", fitting.accumulation());
            });
    double flops =
        ModelEstimate.of(config)
                .trainingFlopsPerToken(setup.trained(), (int) Math.ceil(lengths.mean()))
            * allTokens
            * setup.method().map(StepMethod::passes).orElse(1.0);
    figures.put("flops", flops);
    figures.putAll(SpeedProbe.cost(flops, setup.options().workers(), run.progress()));
    try {
      Optional<TrainingState> found = standing();
      long taken = found.map(TrainingState::step).orElse(0L);
      figures.put("steps_taken", taken);
      figures.put("next_learning_rate", setup.schedule().rate(taken));
      found
          .flatMap(at -> TrainingLoop.longer(setup.schedule(), setup.warmup(), at))
          .ifPresent(run.progress()::say);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the output folder: " + e.getMessage(), e);
    }
    return new TrainingPlan(train.size(), order.stepsPerEpoch(), total, memory.moved(), figures);
  }

  /**
   * Which rows of tokens are trained, and which are needed, were never trained, and are not now.
   */
  private void sayTokens(PolicySpec spec, ModelFiles files) throws IOException {
    ModelConfig config = spec.config(files);
    if (!spec.tokens().isEmpty()) {
      Tokenizer tokenizer = Tokenizers.of(files);
      List<String> matrices = DecoderLayout.tokenModules(config);
      run.progress()
          .say(
              "Trained beside the adapter: the rows of %s tokens (%s) of %s, %s x %s x %s parameters"
                  .formatted(
                      spec.tokens().size(),
                      String.join(", ", spec.tokens().stream().map(tokenizer::token).toList()),
                      String.join(" and ", matrices),
                      spec.tokens().size(),
                      config.hiddenSize(),
                      matrices.size()));
    } else if (setup.options().lora().trainTokens().contains(TrainedTokens.AUTO)) {
      run.progress()
          .say(
              "The embeddings of all tokens that the template needs were trained: --train-tokens"
                  + " auto adds none");
    }
    if (setup.template().isPresent()
        && setup.options().student().trainable() != StudentOptions.Trainable.FULL) {
      TemplateTokens.warning(files, setup.template().get(), spec.tokens())
          .ifPresent(run.progress()::say);
    }
  }

  /** Where an earlier try of this run stands. */
  private Optional<TrainingState> standing() throws IOException {
    return new Checkpoints(folder(), run.id(), Map.of()).newest();
  }

  private OutputFolder folder() {
    return OutputFolder.at(setup.options().student().outputDir(), run.warehouse().hadoop());
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
    Optional<MlflowSink> mlflow = mlflow(clock);
    MlflowSink.Status end = MlflowSink.Status.FAILED;
    try {
      TrainingResult result = train(clock, mlflow);
      boolean whole = result.interrupted().isEmpty();
      end = whole ? MlflowSink.Status.FINISHED : MlflowSink.Status.KILLED;
      return result;
    } finally {
      MlflowSink.Status status = end;
      mlflow.ifPresent(sink -> sink.close(status));
    }
  }

  private Optional<MlflowSink> mlflow(Clock clock) {
    TrainingOptions options = setup.options();
    Map<String, String> environment = System.getenv();
    String folder = String.valueOf(Path.of(options.student().outputDir()).getFileName());
    return options
        .mlflow()
        .mlflowUri()
        .map(
            uri ->
                new MlflowSink(
                    new MlflowServer(uri, environment, Duration.ofSeconds(5)),
                    environment.getOrDefault("MLFLOW_EXPERIMENT_NAME", "distillery"),
                    parts.part() ? run.id() + "/" + folder : run.id(),
                    run.overwrites(),
                    OptionsBinder.of(TrainingOptions.class).decisive(options),
                    run.progress(),
                    clock,
                    MlflowSink.Waits.DEFAULT));
  }

  private TrainingResult train(Clock clock, Optional<MlflowSink> mlflow) {
    setup.refuseWhatNeedsAnEvaluation();
    TrainingOptions options = setup.options();
    ResultFolder.claim(options.student().outputDir(), run.warehouse().hadoop());
    try (ModelFiles files = setup.open();
        RunStop.Part part = run.stop().endsItself()) {
      SparkContext context = run.spark().sparkContext();
      Cluster cluster =
          Cluster.of(
              context,
              options.workers().workers().map(OptionalInt::of).orElse(OptionalInt.empty()));
      Map<String, String> identity = setup.identity(cluster.workers());
      PolicySpec spec = setup.spec(context.isLocal() ? "" : identity.getOrDefault("model", ""));
      if (parts.before().isEmpty()) {
        sayTokens(spec, files);
      }
      OutputFolder folder = folder();
      var saved = new Checkpoints(folder, run.id(), identity, setup::asNow);
      Checkpoints checkpoints = run.overwrites() ? saved.replacing() : saved;
      StepPlan plan = setup.steps();
      try (Engine engine = engine(context, cluster, spec, files);
          Stepper stepper = stepper(plan, engine, folder)) {
        var loop =
            new TrainingLoop(
                new TrainingLoop.Inputs(
                    options, plan, setup.eval(), samples(files, spec), setup.totalSteps()),
                engine,
                stepper,
                checkpoints,
                mlflow
                    .map(sink -> new MetricLog(folder, clock, sink))
                    .orElseGet(() -> new MetricLog(folder, clock)),
                folder,
                run.progress());
        TrainingResult result =
            loop.run(
                run.stop(),
                () -> begin(engine.parameters(), spec, files),
                folder.root().toString());
        if (result.interrupted().isEmpty()) {
          loop.toResult(result.resultStep());
          result = result.with(loop.samples());
          ModelConfig trained = spec.config(files);
          ModelConfig written = finish.map(by -> by.finish(engine, trained)).orElse(trained);
          ParameterSpace weights = engine.parameters();
          new ResultWriter(folder, spec, written, options.student().dtype())
              .write(files, weights.without(DecoderLayout.VALUE_NETWORK));
          if (spec.network().isPresent()) {
            writeNetwork(folder, spec.network().get(), weights.within(DecoderLayout.VALUE_NETWORK));
          } else {
            // An earlier result's.
            folder.files().delete(folder.path(ResultFolder.VALUE_MODEL), true);
          }
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

  /** Sets the weights to what the run begins from, where that is not the model's file alone. */
  private void begin(ParameterSpace parameters, PolicySpec spec, ModelFiles files)
      throws IOException {
    Optional<String> adapter = setup.options().student().adapter();
    ModelConfig config = spec.config(files);
    ParameterSpace own = parameters.without(DecoderLayout.VALUE_NETWORK);
    if (adapter.isPresent()) {
      Policy.readAdapter(own, spec, files, adapter.get());
    }
    if (spec.network().isPresent()) {
      try (ModelFiles network = ModelFiles.open(Path.of(spec.network().get().model()))) {
        ValueHeads.begin(
            parameters.within(DecoderLayout.VALUE_NETWORK), network.config().scoreBias());
      }
    }
    if (spec.valueHead()) {
      ValueHeads.read(Path.of(adapter.orElse(files.path().toString())), config.hiddenSize(), own);
    }
  }

  /** As a reward model in a folder of its own. */
  private void writeNetwork(OutputFolder folder, PolicySpec spec, ParameterSpace trained)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(spec.model()))) {
      var own = new OutputFolder(folder.files(), folder.path(ResultFolder.VALUE_MODEL));
      ModelConfig config = ValueHeads.scoring(spec.config(files), trained);
      new ResultWriter(own, spec, config, setup.options().student().dtype()).write(files, trained);
    }
  }

  private Optional<Samples> samples(ModelFiles files, PolicySpec spec) throws IOException {
    return setup.eval().isEmpty()
        ? Optional.empty()
        : Samples.of(
            files, spec.config(files).labels() == 0, setup.eval().get(), setup.options().saving());
  }

  private Stepper stepper(StepPlan plan, Engine engine, OutputFolder folder) throws IOException {
    TrainingOptions options = setup.options();
    if (setup.method().isPresent()) {
      return setup.method().get().open(plan, engine, setup.optimizer(), folder);
    }
    if (engine instanceof SparkEngine spark && options.workers().localSteps() > 1) {
      if (options.batch().gradientAccumulationSteps() < spark.workers()) {
        throw JobException.invalid(
            "Option --local-steps: each of %s workers needs a micro-batch of each step, and --gradient-accumulation-steps is %s"
                .formatted(spark.workers(), options.batch().gradientAccumulationSteps()));
      }
      return new LocalSteps(plan, spark, options.workers(), setup.optimizer());
    }
    return new EveryStep(
        plan, engine, new AdamW(engine.kernels(), engine.parameters(), setup.optimizer()));
  }

  private Engine engine(SparkContext context, Cluster cluster, PolicySpec spec, ModelFiles files)
      throws IOException {
    if (context.isLocal()) {
      refuseWhatCannotFit(files);
    }
    if (context.isLocal()
        && cluster.workers() == 1
        && setup.options().workers().localSteps() == 1) {
      return new LocalEngine(Policy.open(spec, files.path(), setup.objective(), cluster.threads()));
    }
    ShippedModel.ship(context, spec.model());
    spec.network().ifPresent(value -> ShippedModel.ship(context, value.model()));
    Kernels kernels = KernelSets.create(Runtime.getRuntime().availableProcessors());
    // Another name for each try: executors of a session that goes on may hold the last one's
    // weights.
    return new SparkEngine(
        JavaSparkContext.fromSparkContext(context),
        run.id() + "/" + UUID.randomUUID(),
        spec,
        setup.objective(),
        cluster,
        kernels,
        trained(kernels, spec, files));
  }

  /** Before anything is allocated. */
  private void refuseWhatCannotFit(ModelFiles files) {
    setup
        .memory(files)
        .objection(setup.options().batch(), RunSetup.machineMemory())
        .ifPresent(
            why -> {
              throw JobException.invalid(why);
            });
  }

  /** The trained weights as training begins. */
  private static ParameterSpace trained(Kernels kernels, PolicySpec spec, ModelFiles files)
      throws IOException {
    if (spec.network().isEmpty()) {
      return ownTrained(kernels, spec, files);
    }
    PolicySpec value = spec.network().get();
    try (ModelFiles network = ModelFiles.open(Path.of(value.model()))) {
      return Policy.trained(
          kernels,
          ownTrained(kernels, spec, files),
          Optional.of(ownTrained(kernels, value, network)));
    }
  }

  private static ParameterSpace ownTrained(Kernels kernels, PolicySpec spec, ModelFiles files)
      throws IOException {
    ModelConfig config = spec.config(files);
    return Weights.openTrained(config, kernels, files.weights(), spec.training(config));
  }
}
