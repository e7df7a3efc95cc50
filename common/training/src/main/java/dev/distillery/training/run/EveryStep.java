package dev.distillery.training.run;

import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.AdamW;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Workers meet at every step: one gradient over all of them moves the weights. */
final class EveryStep implements Stepper {
  /** Steps between two looks at each layer. */
  private static final long LAYER_STEPS = 10;

  private final StepPlan plan;
  private final Engine engine;
  private final AdamW optimizer;

  /** Closes the optimiser with itself. */
  EveryStep(StepPlan plan, Engine engine, AdamW optimizer) {
    this.plan = plan;
    this.engine = engine;
    this.optimizer = optimizer;
  }

  @Override
  public Map<String, ParameterSpace> spaces() {
    Map<String, ParameterSpace> spaces = new LinkedHashMap<>();
    spaces.put("parameters", engine.parameters());
    spaces.put("first_moments", optimizer.firstMoments());
    spaces.put("second_moments", optimizer.secondMoments());
    return spaces;
  }

  @Override
  public void resume(long step, Map<String, Double> figures) {
    optimizer.resume(step);
    engine.moved();
  }

  @Override
  public List<Taken> take(long step, long end) {
    StepWork work = plan.work(step);
    Engine.Computed computed = engine.gradient(work);
    Map<String, Double> metrics = new LinkedHashMap<>(plan.objective().metrics(computed.sums()));
    double loss = metrics.getOrDefault("loss", Double.NaN);
    double norm = optimizer.norm(computed.gradient());
    if (!Double.isFinite(loss) || !Double.isFinite(norm)) {
      throw new NotFinite(step, loss, norm, plan.order().microBatches(step));
    }
    double rate = plan.schedule().rate(step);
    metrics.put("grad_norm", norm);
    metrics.put("learning_rate", rate);
    if ((step + 1) % LAYER_STEPS == 0) {
      try (var norms = new LayerNorms(engine.kernels(), engine.parameters(), computed.gradient())) {
        optimizer.step(computed.gradient(), norm, rate, norms);
        metrics.putAll(norms.figures());
      }
    } else {
      optimizer.step(computed.gradient(), norm, rate);
    }
    engine.moved();
    return List.of(new Taken(work.tokens(), metrics));
  }

  @Override
  public void close() {
    optimizer.close();
  }
}
