package dev.distillery.training.run;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.train.Schedule;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.RunStop;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.tokens.TokenRows;
import java.io.IOException;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Steps, evaluations and checkpoints, one after the other. Between two steps the run is its
 * weights, its moments and a {@link TrainingState}; all else is a function of these and of the
 * options.
 */
final class TrainingLoop {
  /** A learning rate that grows by more than this where a schedule is made longer is told. */
  private static final double JUMP = 1.5;

  private static final List<String> HIGHEST_IS_BEST =
      List.of("accuracy", "accuracies", "reward", "margin", "margins");

  /**
   * What is trained and how.
   *
   * @param samples answers that are looked at
   * @param total steps of the run
   */
  record Inputs(
      TrainingOptions options,
      StepPlan plan,
      Optional<TokenRows> eval,
      Optional<Samples> samples,
      long total) {}

  /** Sets the weights to what training begins from. */
  interface Beginning {
    void set() throws IOException;
  }

  private final Inputs inputs;
  private final TrainingOptions options;
  private final Engine engine;
  private final Stepper stepper;
  private final Checkpoints checkpoints;
  private final MetricLog log;
  private final OutputFolder folder;
  private final Progress progress;
  private TrainingState state = TrainingState.start();
  private long firstTokens;
  private long savedStep = -1;
  private Map<String, Double> lastStep = Map.of();
  private Map<String, Double> lastEvaluation = Map.of();

  TrainingLoop(
      Inputs inputs,
      Engine engine,
      Stepper stepper,
      Checkpoints checkpoints,
      MetricLog log,
      OutputFolder folder,
      Progress progress) {
    this.inputs = inputs;
    this.options = inputs.options();
    this.engine = engine;
    this.stepper = stepper;
    this.checkpoints = checkpoints;
    this.log = log;
    this.folder = folder;
    this.progress = progress;
  }

  /** Trains to the end, or until it is told to stop. */
  TrainingResult run(RunStop stop, Beginning beginning, String output) throws IOException {
    OptionalLong resumed = begin(beginning);
    progress.start("Train", "steps", OptionalLong.of(inputs.total()), state.step());
    double seconds = state.seconds();
    while (state.step() < inputs.total() && !state.stoppedEarly() && !stop.requested()) {
      long before = state.step();
      boolean due = step();
      boolean best = evaluationDue(before) && evaluate();
      if (best || due) {
        save();
      }
      progress.update(state.step(), detail(state.seconds() - seconds));
    }
    if (savedStep != state.step()) {
      save();
    }
    progress.finish(state.step(), detail(state.seconds() - seconds));
    boolean unfinished = state.step() < inputs.total() && !state.stoppedEarly();
    return new TrainingResult(
        state.step(),
        resumed,
        resultStep(),
        unfinished
            ? Optional.of(
                stop.words()
                    + " after step "
                    + state.step()
                    + " of "
                    + inputs.total()
                    + "; its checkpoint is written: give the run id "
                    + stop.runId()
                    + " again to go on")
            : Optional.empty(),
        state.stoppedEarly(),
        output,
        figures(),
        List.of());
  }

  private OptionalLong begin(Beginning beginning) throws IOException {
    Optional<TrainingState> found = checkpoints.restore(stepper.spaces(), progress::say);
    if (found.isEmpty()) {
      beginning.set();
    }
    state = found.orElse(TrainingState.start());
    stepper.resume(state.step(), state.figures());
    log.resume(state.step());
    Samples.resume(folder, state.step());
    if (state.step() == 0) {
      answer();
    }
    found.ifPresent(this::tell);
    if (found.isPresent()) {
      lastStep = new LinkedHashMap<>();
      lastEvaluation = new LinkedHashMap<>();
      log.latest()
          .forEach(
              (name, value) ->
                  (name.startsWith("eval_") ? lastEvaluation : lastStep).put(name, value));
    }
    savedStep = found.isPresent() ? state.step() : -1;
    firstTokens = state.tokens();
    state = state.planned(inputs.total());
    return found.map(at -> OptionalLong.of(at.step())).orElse(OptionalLong.empty());
  }

  private void tell(TrainingState found) {
    progress.say("Goes on from the checkpoint of step " + found.step());
    longer(inputs.plan().schedule(), options.schedule().warmupSteps(), found)
        .ifPresent(progress::say);
  }

  /**
   * What becomes of the learning rate where a run goes on to another end than it was begun for: the
   * schedule is made anew for the whole, as Hugging Face does.
   *
   * @param warmup as the option has it: below 1 a part of all steps
   */
  static Optional<String> longer(Schedule now, double warmup, TrainingState found) {
    if (found.totalSteps() == now.totalSteps() || found.step() == 0) {
      return Optional.empty();
    }
    double old = rateBefore(now, warmup, found);
    double next = now.rate(found.step());
    return Optional.of(
        String.format(
            Locale.ROOT,
            "The schedule is made anew for %d steps, and was for %d: the rate was %.6e at the last"
                + " step and is %.6e at the next%s",
            now.totalSteps(),
            found.totalSteps(),
            old,
            next,
            next > JUMP * old ? ", a jump upwards" : ""));
  }

  /** The rate of the last step that was taken, by the schedule of that time. */
  static double rateBefore(Schedule now, double warmup, TrainingState found) {
    return new Schedule(
            now.kind(),
            now.peak(),
            Schedule.warmupSteps(warmup, found.totalSteps()),
            found.totalSteps(),
            now.minRatio())
        .rate(found.step() - 1);
  }

  /** Takes a step, or the steps of a round; says whether a checkpoint is due. */
  private boolean step() throws IOException {
    long started = System.nanoTime();
    long before = state.step();
    List<Stepper.Taken> steps;
    try {
      steps = stepper.take(state.step(), inputs.total());
    } catch (Stepper.NotFinite e) {
      log.flush();
      throw JobException.invalid(
          e.getMessage()
              + (savedStep > 0
                  ? ". The checkpoint of step " + savedStep + " is kept"
                  : ". No checkpoint had been written"));
    }
    double seconds = (System.nanoTime() - started) / 1e9 / steps.size();
    for (Stepper.Taken step : steps) {
      state = state.stepped(step.tokens(), seconds);
      Map<String, Double> metrics = new LinkedHashMap<>(step.metrics());
      metrics.put("num_tokens", (double) state.tokens());
      metrics.put("epoch", (double) state.step() / inputs.plan().order().stepsPerEpoch());
      lastStep = metrics;
      log.log(state.step(), metrics);
    }
    return passed(before, options.saving().saveSteps());
  }

  /** Whether a multiple of {@code every} has been reached since a step. */
  private boolean passed(long before, long every) {
    return state.step() / every > before / every;
  }

  private boolean evaluationDue(long before) {
    if (inputs.eval().isEmpty()) {
      return false;
    }
    long every =
        options.saving().evalSteps().orElseGet(() -> inputs.plan().order().stepsPerEpoch());
    return passed(before, every) || state.step() == inputs.total();
  }

  /** Evaluates; says whether this is the best so far. */
  private boolean evaluate() throws IOException {
    Map<String, Double> metrics = new LinkedHashMap<>();
    stepper
        .evaluate(state.step())
        .orElseGet(this::objective)
        .forEach((name, value) -> metrics.put("eval_" + name, value));
    lastEvaluation = metrics;
    log.log(state.step(), metrics);
    answer();
    Optional<String> by = options.saving().best();
    if (by.isEmpty()) {
      return false;
    }
    Double value = metrics.get(by.get());
    if (value == null) {
      throw JobException.invalid(
          "Option --best-by: evaluation gives " + metrics.keySet() + ", not " + by.get());
    }
    state =
        state.evaluated(
            highestIsBest(by.get()) ? -value : value,
            options.saving().earlyStop().orElse(Integer.MAX_VALUE));
    return state.bestStep() == state.step();
  }

  /** The objective's metrics over the held-out rows. */
  private Map<String, Double> objective() {
    return inputs
        .plan()
        .objective()
        .metrics(engine.evaluate(inputs.eval().orElseThrow(), options.batch().batchSize()));
  }

  /**
   * A share of what was right is best where it is highest, and a reward or a margin; all other
   * figures where they are lowest.
   */
  static boolean highestIsBest(String name) {
    return HIGHEST_IS_BEST.stream().anyMatch(name::endsWith);
  }

  private void answer() throws IOException {
    if (inputs.samples().isPresent()) {
      progress.say(inputs.samples().get().take(state.step(), stepper, engine, folder));
    }
  }

  /** Answers before training and by the weights as they are now. */
  List<TrainingResult.Sample> samples() throws IOException {
    return inputs.samples().isPresent()
        ? inputs.samples().get().beforeAndAfter(stepper, engine, folder)
        : List.of();
  }

  private void save() throws IOException {
    log.flush();
    CurvesPage.write(folder, "Training");
    state = state.with(stepper.figures());
    checkpoints.save(state, stepper.spaces());
    savedStep = state.step();
    checkpoints.retain(options.saving().saveTotalLimit(), state.bestStep());
  }

  /** The step whose weights are the result. */
  private long resultStep() {
    return state.bestStep() >= 0 ? state.bestStep() : state.step();
  }

  /** Sets the weights to those of a step: the last, or one that has a checkpoint. */
  void toResult(long step) throws IOException {
    if (step != state.step()) {
      checkpoints.load(step, stepper.result(), engine.parameters());
      engine.moved();
    } else if (!stepper.result().equals(Stepper.PARAMETERS)) {
      List<Tensor> to = engine.parameters().segments();
      List<Tensor> from = stepper.spaces().get(stepper.result()).segments();
      for (int s = 0; s < to.size(); s++) {
        engine.kernels().copy(to.get(s), from.get(s));
      }
      engine.moved();
    }
  }

  /**
   * Writes the run's figures as the table {@code metrics}.
   *
   * @param parts folders in the output folder whose figures are written too, their name before each
   */
  void publish(JobRun run, List<String> parts) {
    SparkSession spark = run.spark();
    Dataset<Row> table = log.table(spark);
    for (String part : parts) {
      OutputFolder of = new OutputFolder(folder.files(), folder.path(part));
      table =
          table.union(
              new MetricLog(of, Clock.systemUTC())
                  .table(spark)
                  .withColumn("name", concat(lit(part + "/"), col("name"))));
    }
    run.write(Tables.METRICS, table.coalesce(1));
    stepper.publish(run);
  }

  private String detail(double seconds) {
    if (lastStep.isEmpty()) {
      return "";
    }
    var text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "loss %.4f, rate %.2e, norm %.3f",
            lastStep.getOrDefault("loss", 0.0),
            lastStep.getOrDefault("learning_rate", 0.0),
            lastStep.getOrDefault("grad_norm", 0.0)));
    if (lastStep.containsKey("reward")) {
      text.append(
          String.format(
              Locale.ROOT,
              ", reward %.4f, kl %.4f",
              lastStep.get("reward"),
              lastStep.getOrDefault("kl", 0.0)));
    }
    if (lastStep.containsKey("rewards/margins")) {
      text.append(
          String.format(
              Locale.ROOT,
              ", margin %.4f, right %.0f%%",
              lastStep.get("rewards/margins"),
              100 * lastStep.getOrDefault("rewards/accuracies", 0.0)));
    }
    if (seconds > 0) {
      text.append(
          String.format(Locale.ROOT, ", %.0f tokens/s", (state.tokens() - firstTokens) / seconds));
    }
    lastEvaluation.forEach(
        (name, value) -> {
          if (name.equals("eval_loss")) {
            text.append(String.format(Locale.ROOT, ", eval loss %.4f", value));
          }
        });
    return text.toString();
  }

  private Map<String, Number> figures() {
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("steps", state.step());
    figures.put("epochs", (double) state.step() / inputs.plan().order().stepsPerEpoch());
    figures.put("num_tokens", state.tokens());
    figures.put("train_seconds", state.seconds());
    engine.exchangeSeconds().ifPresent(seconds -> figures.put("exchange_seconds", seconds));
    engine.openingSeconds().ifPresent(seconds -> figures.put("opening_seconds", seconds));
    figures.putAll(stepper.seconds());
    lastStep.forEach(
        (name, value) -> {
          if (!figures.containsKey(name) && !name.equals("epoch") && !LayerNorms.isName(name)) {
            figures.put(name, value);
          }
        });
    figures.putAll(lastEvaluation);
    if (state.bestStep() >= 0) {
      figures.put("best_step", state.bestStep());
      String name = options.saving().best().orElse("value");
      figures.put("best_" + name, highestIsBest(name) ? -state.best() : state.best());
    }
    return figures;
  }
}
