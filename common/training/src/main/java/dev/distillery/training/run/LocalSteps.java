package dev.distillery.training.run;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.train.AdamW;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * DiLoCo (Douillard et al. 2023, arXiv 2311.08105): each worker takes some steps of AdamW alone, on
 * its own micro-batches of each step (those whose index is its own modulo the workers); the mean of
 * the workers' differences, where they began minus where they ended, is then the gradient of an
 * outer step of SGD with Nesterov momentum, as PyTorch has it: b = mu b + g; p -= rate (g + mu b).
 * Inner moments stay with the worker; where it is lost, or the run is resumed, they begin anew and
 * the metric {@code inner_moments_rebuilt} counts it.
 */
final class LocalSteps implements Stepper {
  private final StepPlan plan;
  private final SparkEngine engine;
  private final WorkerOptions options;
  private final AdamW.Options optimizer;
  private final ParameterSpace momentum;

  LocalSteps(StepPlan plan, SparkEngine engine, WorkerOptions options, AdamW.Options optimizer) {
    this.optimizer = optimizer;
    this.plan = plan;
    this.engine = engine;
    this.options = options;
    this.momentum = new ParameterSpace(engine.kernels(), engine.parameters().slots());
  }

  @Override
  public Map<String, ParameterSpace> spaces() {
    Map<String, ParameterSpace> spaces = new LinkedHashMap<>();
    spaces.put("parameters", engine.parameters());
    spaces.put("outer_momentum", momentum);
    return spaces;
  }

  @Override
  public void resume(long step, Map<String, Double> figures) {
    engine.moved();
  }

  @Override
  public List<Taken> take(long step, long end) {
    // Rounds end at multiples of their length, wherever a run was resumed.
    long last = Math.min(end, (step / options.localSteps() + 1) * options.localSteps());
    List<StepWork> works = new ArrayList<>();
    List<Double> rates = new ArrayList<>();
    for (long s = step; s < last; s++) {
      works.add(plan.work(s));
      rates.add(plan.schedule().rate(s));
    }
    Engine.Computed round = engine.round(step, works, rates, optimizer);
    List<Taken> taken = new ArrayList<>();
    int width = (round.sums().length - 1) / works.size();
    for (int k = 0; k < works.size(); k++) {
      double[] sums = Arrays.copyOfRange(round.sums(), 1 + k * width, 1 + (k + 1) * width);
      Map<String, Double> metrics =
          new LinkedHashMap<>(plan.objective().metrics(Arrays.copyOf(sums, width - 2)));
      double norm = sums[width - 2] / sums[width - 1];
      double loss = metrics.getOrDefault("loss", Double.NaN);
      if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
        throw new NotFinite(step + k, loss, norm, plan.order().microBatches(step + k));
      }
      metrics.put("grad_norm", norm);
      metrics.put("learning_rate", rates.get(k));
      if (k == works.size() - 1) {
        metrics.put("inner_moments_rebuilt", round.sums()[0]);
      }
      taken.add(new Taken(works.get(k).tokens(), metrics));
    }
    outerStep(round.gradient());
    engine.moved();
    return taken;
  }

  private void outerStep(ParameterSpace differences) {
    Kernels kernels = engine.kernels();
    double rate = options.outerLearningRate();
    double mu = options.outerMomentum();
    for (int s = 0; s < differences.segments().size(); s++) {
      Tensor g = differences.segments().get(s);
      Tensor b = momentum.segments().get(s);
      Tensor p = engine.parameters().segments().get(s);
      kernels.scale(g, 1.0 / engine.workers());
      kernels.scale(b, mu);
      kernels.add(b, g, 1);
      kernels.add(p, g, -rate);
      kernels.add(p, b, -rate * mu);
    }
  }

  @Override
  public void close() {
    momentum.close();
  }
}
