package dev.distillery.training.rollout;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.rl.KlController;
import dev.distillery.model.rl.RunningMoments;
import dev.distillery.model.train.AdamW;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.run.Engine;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.OutputFolder;
import dev.distillery.training.run.StepPlan;
import dev.distillery.training.run.StepWork;
import dev.distillery.training.run.Stepper;
import dev.distillery.training.tokens.TokenSequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Updates of PPO, RLOO and GRPO: answers are sampled with the weights as they are, scored, told
 * apart by their advantages, and trained on for some epochs of mini-batches, each a step of AdamW.
 * What is sampled, and in which order it is trained on, follows from the seed and the update alone.
 */
final class PolicyStepper implements Stepper {
  private static final String EMA = "ema";

  /** Site of the seed. */
  private static final int ORDER = 12;

  /** TRL's: an update ends beyond so many times the divergence that it is to keep to. */
  private static final double STOP_FACTOR = 1.5;

  private final PolicyMethod method;
  private final Settings settings;
  private final StepPlan plan;
  private final Engine engine;
  private final PolicyOptimizer optimizer;
  private final RolloutLog log;
  private final KlController controller;
  private final RunningMoments moments = new RunningMoments();
  private final Probes probes = new Probes();
  private final Rollouts rollouts;
  private final Optional<ParameterSpace> ema;
  private double updateSeconds;

  PolicyStepper(
      PolicyMethod method,
      StepPlan plan,
      Engine engine,
      AdamW.Options optimizer,
      OutputFolder folder) {
    this.method = method;
    this.settings = method.settings();
    this.plan = plan;
    this.engine = engine;
    this.optimizer = new PolicyOptimizer(engine.kernels(), engine.parameters(), optimizer);
    this.log = new RolloutLog(folder);
    this.controller = settings.controller().begin();
    this.rollouts = new Rollouts(method, engine, plan);
    this.ema =
        settings.emaDecay() > 0
            ? Optional.of(new ParameterSpace(engine.kernels(), engine.parameters().slots()))
            : Optional.empty();
  }

  @Override
  public Map<String, ParameterSpace> spaces() {
    Map<String, ParameterSpace> spaces = new LinkedHashMap<>();
    spaces.put(PARAMETERS, engine.parameters());
    spaces.putAll(optimizer.moments());
    ema.ifPresent(space -> spaces.put(EMA, space));
    return spaces;
  }

  @Override
  public Map<String, Double> figures() {
    Map<String, Double> figures = new TreeMap<>(probes.state());
    figures.put("kl_coef", controller.coefficient());
    figures.put("optimizer_steps", (double) optimizer.steps());
    figures.put("scores_count", moments.count());
    figures.put("scores_mean", moments.mean());
    figures.put("scores_squares", moments.squares());
    return figures;
  }

  @Override
  public void resume(long step, Map<String, Double> figures) throws IOException {
    if (!figures.isEmpty()) {
      controller.resume(figures.getOrDefault("kl_coef", controller.coefficient()));
      optimizer.resume(Math.round(figures.getOrDefault("optimizer_steps", 0.0)));
      moments.resume(
          figures.getOrDefault("scores_count", 0.0),
          figures.getOrDefault("scores_mean", 0.0),
          figures.getOrDefault("scores_squares", 0.0));
      probes.resume(figures);
    }
    if (step == 0 && ema.isPresent()) {
      average(ema.get(), 0);
    }
    log.resume(step);
    engine.moved();
  }

  /** ema = decay ema + (1 - decay) parameters. */
  private void average(ParameterSpace space, double decay) {
    for (int s = 0; s < space.segments().size(); s++) {
      engine.kernels().scale(space.segments().get(s), decay);
      engine
          .kernels()
          .add(space.segments().get(s), engine.parameters().segments().get(s), 1 - decay);
    }
  }

  @Override
  public String result() {
    return ema.isPresent() ? EMA : PARAMETERS;
  }

  @Override
  public List<Taken> take(long step, long end) {
    RolloutBatch batch = rollouts.sample(step, controller.coefficient(), moments);
    Map<String, Double> metrics = batch.metrics();
    metrics.put("objective/kl_coef", controller.coefficient());
    metrics.put("learning_rate", plan.schedule().rate(step));
    long tokens = batch.tokens();
    long started = System.nanoTime();
    try {
      log.write(step + 1, batch.entries());
      Map<String, Double> learned = update(step, batch);
      learned.forEach(metrics::putIfAbsent);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the rollouts of step " + step, e);
    }
    updateSeconds += (System.nanoTime() - started) / 1e9;
    controller.update(metrics.getOrDefault("kl", 0.0), batch.entries().size());
    ema.ifPresent(space -> average(space, settings.emaDecay()));
    Map<String, Double> probed = batch.probes();
    metrics.putAll(probed);
    probes
        .watch(
            probed,
            metrics.getOrDefault("reward", 0.0),
            metrics.getOrDefault("env/reward_std", 0.0))
        .forEach(method.progress()::say);
    return List.of(new Taken(tokens, metrics));
  }

  /** Trains on a batch; means over the mini-batches. */
  private Map<String, Double> update(long step, RolloutBatch batch) {
    List<TokenSequence> rows = batch.trained();
    Map<String, Double> sums = new LinkedHashMap<>();
    int taken = 0;
    boolean stopped = false;
    for (int epoch = 0; epoch < settings.epochs() && !stopped; epoch++) {
      int[] order = order(step, epoch, rows.size());
      for (int from = 0; from < order.length && !stopped; from += settings.miniBatch()) {
        int to = Math.min(order.length, from + settings.miniBatch());
        StepWork work = work(rows, order, from, to, step * settings.epochs() + epoch);
        Engine.Computed computed = engine.gradient(work);
        Map<String, Double> own = method.objective().metrics(computed.sums());
        Map<String, Double> norms = optimizer.norms(computed.gradient());
        double loss = own.getOrDefault("loss", Double.NaN);
        for (double norm : norms.values()) {
          if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
            throw new NotFinite(step, loss, norm, List.of(rollouts.positions(step)));
          }
        }
        own.putAll(norms);
        own.forEach((name, value) -> sums.merge(name, value, Double::sum));
        taken++;
        stopped =
            settings.earlyStopKl() > 0
                && own.getOrDefault("ppo/policy/policykl", 0.0)
                    > STOP_FACTOR * settings.earlyStopKl();
        if (!stopped) {
          optimizer.step(computed.gradient(), norms, plan.schedule().rate(step));
          engine.moved();
        }
      }
    }
    int count = Math.max(1, taken);
    Map<String, Double> means = new LinkedHashMap<>();
    sums.forEach((name, value) -> means.put(name, value / count));
    means.putIfAbsent("loss", 0.0);
    means.putIfAbsent("grad_norm", 0.0);
    means.put("ppo/mini_batches", (double) taken);
    means.put("ppo/early_stopped", stopped ? 1.0 : 0.0);
    batch.explained(means).ifPresent(value -> means.put("ppo/val/var_explained", value));
    return means;
  }

  /** The order of answers in an epoch of an update: Fisher and Yates, by the seed. */
  private int[] order(long step, int epoch, int count) {
    long key = CounterRandom.key(settings.seed(), ORDER);
    key = CounterRandom.key(CounterRandom.key(key, step), epoch);
    int[] order = new int[count];
    for (int i = 0; i < count; i++) {
      int j = (int) (CounterRandom.uniformDouble(key, i) * (i + 1));
      order[i] = order[j];
      order[j] = i;
    }
    return order;
  }

  /**
   * An optimiser step.
   *
   * @param epoch over all updates
   */
  private StepWork work(List<TokenSequence> rows, int[] order, int from, int to, long epoch) {
    List<MicroBatch> microBatches = new ArrayList<>();
    for (int at = from; at < to; at += settings.microBatch()) {
      List<TokenSequence> some = new ArrayList<>();
      for (int i = at; i < Math.min(to, at + settings.microBatch()); i++) {
        some.add(rows.get(order[i]));
      }
      microBatches.add(new MicroBatch(some, new long[some.size()]));
    }
    if (method.ptx().isPresent()) {
      int miniBatches = (settings.answers() + settings.miniBatch() - 1) / settings.miniBatch();
      long number = epoch * miniBatches + from / settings.miniBatch();
      microBatches.addAll(method.ptx().get().microBatches(number, settings.microBatch()));
    }
    return new StepWork(
        microBatches, StepWork.normaliser(microBatches, method.objective()), Dropout.NONE);
  }

  @Override
  public Optional<Map<String, Double>> evaluate(long step) {
    return method.held().map(held -> rollouts.evaluate(held, controller.coefficient()));
  }

  @Override
  public Optional<List<Answered>> answers(int most) {
    return method.held().map(held -> rollouts.answers(held, most));
  }

  @Override
  public Map<String, Double> seconds() {
    Map<String, Double> seconds = new LinkedHashMap<>(rollouts.seconds());
    seconds.put("update_seconds", updateSeconds);
    return seconds;
  }

  @Override
  public void publish(JobRun run) {
    log.publish(run);
  }

  @Override
  public void close() {
    ema.ifPresent(ParameterSpace::close);
    optimizer.close();
  }
}
