package dev.distillery.training.run;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.FrozenForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a step takes of one process' memory, before anything is allocated, and what would fit where
 * it does not. Arithmetic on shapes; kernels' scratch memory and the JVM's heap are beyond it, so a
 * tenth is added.
 *
 * @param held bytes of weights that do not move, as they lie in memory, and of what runs beside
 *     them
 * @param moved values that are trained: float32, with two moments and gradients
 * @param shapes of the models that keep activations
 * @param longest tokens of the longest row
 * @param recompute whether activations are computed again
 */
record MemoryPlan(long held, long moved, List<ModelConfig> shapes, int longest, boolean recompute) {
  private static final double GIBIBYTE = 1 << 30;
  private static final double OVERHEAD = 1.1;

  /** Of the machine's memory: the rest is the operating system's and Spark's. */
  private static final double SHARE = 0.9;

  MemoryPlan {
    shapes = List.copyOf(shapes);
  }

  /**
   * A batch that fits and makes the same step.
   *
   * @param batchSize rows of a micro-batch
   * @param accumulation micro-batches of a step
   * @param bytes that it takes
   */
  record Fitting(int batchSize, int accumulation, long bytes) {}

  /** This and another model's in the same process. */
  MemoryPlan beside(MemoryPlan other) {
    List<ModelConfig> all = new ArrayList<>(shapes);
    all.addAll(other.shapes);
    return new MemoryPlan(held + other.held, moved + other.moved, all, longest, recompute);
  }

  /** Bytes of the weights that lie beside the trained ones. */
  static long held(ModelFiles files, long trainedOfFile, FrozenForm form) {
    double bytes = 0;
    long elements = 0;
    for (WeightSource.Weight weight : files.weights().weights().values()) {
      long size = weight.spec().elements();
      elements += size;
      boolean matrix = weight.spec().shape().size() > 1;
      boolean narrow = weight.type() != TensorType.F32 && weight.type() != TensorType.F64;
      bytes +=
          switch (form) {
            case FLOAT32 -> (double) Float.BYTES * size;
            case BFLOAT16 -> (double) (matrix ? Short.BYTES : Float.BYTES) * size;
            case AS_STORED ->
                matrix && narrow ? weight.type().bytes(size) : (double) Float.BYTES * size;
          };
    }
    double frozen = elements == 0 ? 0 : Math.max(0, 1 - (double) trainedOfFile / elements);
    return Math.round(bytes * frozen);
  }

  /**
   * Bytes of a step.
   *
   * @param batchSize rows of a micro-batch
   * @param accumulation micro-batches of a step
   */
  long bytes(int batchSize, int accumulation) {
    // The tree over a step's micro-batches holds so many sums at once (TreeSum).
    int gradients = accumulation == 1 ? 1 : 34 - Integer.numberOfLeadingZeros(accumulation - 1);
    double values = (double) moved * (3 + gradients);
    double activations =
        shapes.stream()
            .mapToDouble(
                shape -> ModelEstimate.of(shape).activationBytes(batchSize, longest, recompute))
            .sum();
    return Math.round(OVERHEAD * (held + Float.BYTES * values + activations));
  }

  /**
   * The largest micro-batch that fits and makes the same step; empty where not even one row does.
   */
  Optional<Fitting> fitting(BatchOptions asked, long memory) {
    int rows = Math.multiplyExact(asked.batchSize(), asked.gradientAccumulationSteps());
    for (int size = asked.batchSize(); size >= 1; size--) {
      if (rows % size == 0) {
        long bytes = bytes(size, rows / size);
        if (bytes <= SHARE * memory) {
          return Optional.of(new Fitting(size, rows / size, bytes));
        }
      }
    }
    return Optional.empty();
  }

  /** What to change; empty where what was asked for fits. */
  Optional<String> objection(BatchOptions asked, long memory) {
    long needed = bytes(asked.batchSize(), asked.gradientAccumulationSteps());
    if (needed <= SHARE * memory) {
      return Optional.empty();
    }
    String found =
        String.format(
            Locale.ROOT,
            "A step of --batch-size %d needs about %.2f GiB (%.2f of weights, gradients and"
                + " moments), and of this machine's %.2f GiB %.0f%% are taken for it: ",
            asked.batchSize(),
            needed / GIBIBYTE,
            bytes(0, asked.gradientAccumulationSteps()) / GIBIBYTE,
            memory / GIBIBYTE,
            100 * SHARE);
    Optional<Fitting> fitting = fitting(asked, memory);
    if (fitting.isPresent()) {
      return Optional.of(
          found
              + String.format(
                  Locale.ROOT,
                  "--batch-size %d --gradient-accumulation-steps %d makes the same step in %.2f",
                  fitting.get().batchSize(),
                  fitting.get().accumulation(),
                  fitting.get().bytes() / GIBIBYTE));
    }
    return Optional.of(
        found
            + "not even one row fits: give "
            + (recompute ? "" : "--gradient-checkpointing true, ")
            + "a shorter --max-length, --trainable lora, or --dtype bfloat16");
  }
}
