package dev.distillery.model.train;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Workspace;
import java.io.Serializable;
import java.util.Arrays;

/**
 * AdamW over a parameter space, by PyTorch's formula (torch.optim.AdamW). Matrices decay, gains and
 * biases do not. The moments lie in spaces of the same layout.
 */
public final class AdamW implements AutoCloseable {
  /**
   * The optimiser's constants.
   *
   * @param beta1 decay of the first moment; default 0.9
   * @param beta2 decay of the second moment; default 0.999
   * @param epsilon added to the root of the second moment; default 1e-8
   * @param weightDecay decoupled decay of matrices; default 0
   * @param maxGradNorm gradients are scaled down to this global norm; 0 leaves them; default 1
   */
  public record Options(
      double beta1, double beta2, double epsilon, double weightDecay, double maxGradNorm)
      implements Serializable {
    public Options {
      if (!(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1)
          || !(epsilon > 0)
          || !(weightDecay >= 0)
          || !(maxGradNorm >= 0)) {
        throw new IllegalArgumentException(
            "AdamW needs betas in [0, 1), epsilon > 0, decay and norm >= 0: beta1 %s, beta2 %s, epsilon %s, weight decay %s, max grad norm %s"
                .formatted(beta1, beta2, epsilon, weightDecay, maxGradNorm));
      }
    }

    /** The defaults. */
    public static Options defaults() {
      return new Options(0.9, 0.999, 1e-8, 0, 1);
    }
  }

  private final Kernels kernels;
  private final Workspace workspace;
  private final Options options;
  private final ParameterSpace parameters;
  private final ParameterSpace firstMoments;
  private final ParameterSpace secondMoments;
  private long step;

  /** An optimiser at step 0 with zero moments. */
  public AdamW(Kernels kernels, ParameterSpace parameters, Options options) {
    this.kernels = kernels;
    this.workspace = new Workspace(kernels);
    this.options = options;
    this.parameters = parameters;
    this.firstMoments = new ParameterSpace(kernels, parameters.slots());
    this.secondMoments = new ParameterSpace(kernels, parameters.slots());
  }

  /** Told of each slot as it is moved. */
  public interface Watcher {
    /** The slot is about to be moved. */
    void before(Slot slot);

    /** The slot has been moved. */
    void after(Slot slot);
  }

  /**
   * Clips and applies a gradient: coef = min(1, maxNorm / (norm + 1e-6)).
   *
   * @param norm the gradient's {@link #norm}
   */
  public void step(ParameterSpace gradients, double norm, double learningRate) {
    step(
        gradients,
        norm,
        learningRate,
        new Watcher() {
          @Override
          public void before(Slot slot) {}

          @Override
          public void after(Slot slot) {}
        });
  }

  /** As {@link #step(ParameterSpace, double, double)}, with a watcher. */
  public void step(ParameterSpace gradients, double norm, double learningRate, Watcher watcher) {
    double scale =
        options.maxGradNorm() > 0 ? Math.min(1, options.maxGradNorm() / (norm + 1e-6)) : 1;
    step++;
    for (Slot slot : parameters.slots()) {
      watcher.before(slot);
      kernels.adamW(
          parameters.slot(slot.name()).orElseThrow(),
          gradients.slot(slot.name()).orElseThrow(),
          firstMoments.slot(slot.name()).orElseThrow(),
          secondMoments.slot(slot.name()).orElseThrow(),
          new Kernels.AdamWStep(
              step,
              learningRate,
              options.beta1(),
              options.beta2(),
              options.epsilon(),
              slot.decayed() ? options.weightDecay() : 0,
              scale));
      watcher.after(slot);
    }
  }

  /** The global norm of a gradient. */
  public double norm(ParameterSpace gradients) {
    int count = gradients.segments().size();
    Tensor squares = workspace.get("squares", count, 1);
    for (int i = 0; i < count; i++) {
      kernels.sumOfSquares(squares.rows(i, 1), gradients.segments().get(i));
    }
    return Math.sqrt(Arrays.stream(squares.column(0)).sum());
  }

  /** Steps taken. */
  public long steps() {
    return step;
  }

  /** The first moments, for checkpoints. */
  public ParameterSpace firstMoments() {
    return firstMoments;
  }

  /** The second moments, for checkpoints. */
  public ParameterSpace secondMoments() {
    return secondMoments;
  }

  /** Goes on after {@code steps} steps; the moments have been written by the caller. */
  public void resume(long steps) {
    step = steps;
  }

  @Override
  public void close() {
    firstMoments.close();
    secondMoments.close();
    workspace.close();
  }
}
