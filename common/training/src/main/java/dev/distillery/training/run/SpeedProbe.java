package dev.distillery.training.run;

import dev.distillery.core.run.Progress;
import dev.distillery.model.format.Hardware;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Tensor;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * How fast this machine multiplies matrices, measured in about a second, and what share of that
 * training is taken to reach: an estimate, not a run.
 *
 * @param flopsPerSecond of the fastest of some products
 * @param device what computed them
 */
record SpeedProbe(double flopsPerSecond, String device) {
  /**
   * Share of a product's speed that a training step reaches. Two AVX-512 cores: 136 of 252 GFLOP/s
   * in PyTorch on a decoder of 135 million weights.
   */
  static final double UTILISATION = 0.54;

  /** The GPU that a price is reckoned for. */
  private static final String PRICED = "1xa100-80gb";

  private static final int SIZE = 768;
  private static final int PRODUCTS = 4;

  /** Measures. */
  static SpeedProbe measure(int threads) {
    try (Kernels kernels = KernelSets.create(threads)) {
      Tensor a = kernels.tensor(SIZE, SIZE);
      Tensor b = kernels.tensor(SIZE, SIZE);
      Tensor out = kernels.tensor(SIZE, SIZE);
      try {
        double best = 0;
        for (int i = 0; i < PRODUCTS; i++) {
          long started = System.nanoTime();
          kernels.matmul(out, a, false, b, false, 1, 0);
          // Reading a value waits for it, wherever it is computed.
          float unused = out.rows(0, 1).toArray()[0];
          double seconds = (System.nanoTime() - started) / 1e9;
          best = Math.max(best, 2.0 * SIZE * SIZE * SIZE / seconds);
        }
        return new SpeedProbe(best, kernels.describe());
      } finally {
        a.memory().close();
        b.memory().close();
        out.memory().close();
      }
    }
  }

  /** Hours of a run of so many operations over workers as fast as this machine. */
  double hours(double flops, int workers) {
    return flops / (flopsPerSecond * UTILISATION * workers) / 3600;
  }

  /** Hours of a run of so many operations, and what a price makes of them, told and as figures. */
  static Map<String, Number> cost(double flops, WorkerOptions options, Progress progress) {
    int workers = options.workers().orElse(1);
    SpeedProbe probe = measure(Runtime.getRuntime().availableProcessors());
    Hardware gpu = Hardware.named(PRICED);
    double here = probe.hours(flops, workers);
    double there = flops / gpu.flops() / 3600;
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("hours_here", here);
    figures.put("hours_" + PRICED, there);
    progress.say(
        String.format(
            Locale.ROOT,
            "About %.2g hours with %d workers such as this machine: an estimate from a product of matrices measured just now (%.0f GFLOP/s, of which training is taken to reach %.0f%%; %s). By its data sheet at %.0f%%, %.2g hours of one %s",
            here,
            workers,
            probe.flopsPerSecond() / 1e9,
            100 * UTILISATION,
            probe.device(),
            100 * gpu.utilisation(),
            there,
            PRICED));
    options
        .gpuHourUsd()
        .ifPresent(
            price -> {
              figures.put("cost_usd", price * there);
              progress.say(
                  String.format(
                      Locale.ROOT,
                      "At %s dollars an hour of one %s: about %.3g dollars",
                      price,
                      PRICED,
                      price * there));
            });
    return figures;
  }
}
