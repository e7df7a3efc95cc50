package dev.distillery.model.train;

import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Slot;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * Gradients of micro-batches, summed by {@link TreeSum}. A micro-batch's gradient is computed from
 * zero in a space of its own; spaces are reused. Over n micro-batches in order there are at most
 * log2(n) + 2 of them, rounded up.
 */
public final class GradientSum implements AutoCloseable {
  private final Kernels kernels;
  private final List<Slot> slots;
  private final Deque<ParameterSpace> free = new ArrayDeque<>();
  private TreeSum<ParameterSpace> sum;

  /** An empty sum of gradients of these slots. */
  public GradientSum(Kernels kernels, List<Slot> slots) {
    this.kernels = kernels;
    this.slots = slots;
    this.sum = new TreeSum<>(1, this::plus);
  }

  /** Begins a new sum, over so many micro-batches in all. */
  public void begin(int microBatches) {
    sum.blocks().forEach(block -> free.push(block.sum()));
    sum = new TreeSum<>(microBatches, this::plus);
  }

  /** Adds the gradient that {@code compute} leaves, as that of a micro-batch. */
  public void add(int microBatch, Consumer<Gradients> compute) {
    ParameterSpace space = free.isEmpty() ? new ParameterSpace(kernels, slots) : free.pop();
    Gradients gradients = new Gradients(kernels, space);
    compute.accept(gradients);
    gradients.finish();
    sum.add(microBatch, space);
  }

  private ParameterSpace plus(ParameterSpace first, ParameterSpace second) {
    for (int s = 0; s < first.segments().size(); s++) {
      kernels.add(first.segments().get(s), second.segments().get(s), 1);
    }
    free.push(second);
    return first;
  }

  /** The sum over all micro-batches, valid until {@link #begin}. */
  public ParameterSpace total() {
    return sum.total()
        .orElseThrow(() -> new IllegalStateException("Not all micro-batches have been added"));
  }

  /** What has been added, in as few blocks as there can be; valid until {@link #begin}. */
  public List<TreeSum.Block<ParameterSpace>> blocks() {
    return sum.blocks();
  }

  @Override
  public void close() {
    begin(1);
    free.forEach(ParameterSpace::close);
    free.clear();
  }
}
