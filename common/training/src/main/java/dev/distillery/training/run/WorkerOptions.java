package dev.distillery.training.run;

import dev.distillery.core.run.Tunable;
import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * Who computes, and how often they meet.
 *
 * @param workers tasks that compute a step's micro-batches; empty: one in a local session, else one
 *     an executor
 * @param localSteps steps that a worker takes alone before the workers meet; 1 is plain data
 *     parallelism, more is DiLoCo (Douillard et al. 2023)
 * @param outerLearningRate of DiLoCo's outer steps
 * @param outerMomentum Nesterov momentum of DiLoCo's outer steps
 */
public record WorkerOptions(
    @Tunable
        @Option(
            names = "--workers",
            paramLabel = "N",
            description =
                "Tasks that compute the micro-batches of a step; changes no result (with"
                    + " --local-steps above 1 it does). Default: 1 in a local session, else one an"
                    + " executor.")
        Optional<Integer> workers,
    @Option(
            names = "--local-steps",
            paramLabel = "N",
            defaultValue = "1",
            description =
                "Steps that each worker takes alone before the workers meet (DiLoCo); 1 meets at"
                    + " every step.")
        int localSteps,
    @Option(
            names = "--outer-learning-rate",
            paramLabel = "X",
            defaultValue = "0.7",
            description = "Rate of the outer step, where --local-steps is above 1.")
        double outerLearningRate,
    @Option(
            names = "--outer-momentum",
            paramLabel = "X",
            defaultValue = "0.9",
            description = "Nesterov momentum of the outer step, where --local-steps is above 1.")
        double outerMomentum)
    implements Validated {

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    workers
        .filter(count -> count < 1)
        .ifPresent(
            count -> violations.add("Option --workers: expected at least 1, found " + count));
    if (localSteps < 1) {
      violations.add("Option --local-steps: expected at least 1, found " + localSteps);
    }
    if (!(outerLearningRate > 0)) {
      violations.add(
          "Option --outer-learning-rate: expected a positive number, found " + outerLearningRate);
    }
    if (!(outerMomentum >= 0 && outerMomentum < 1)) {
      violations.add(
          "Option --outer-momentum: expected a number in [0, 1), found " + outerMomentum);
    }
    return violations;
  }
}
