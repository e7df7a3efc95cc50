package dev.distillery.model.nn;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/**
 * The gradient of one micro-batch. Slots are zeroed when they are first added to, or overwritten by
 * the first product, so that nothing is zeroed twice; {@link #finish} zeroes what no one touched.
 */
public final class Gradients {
  private final Kernels kernels;
  private final ParameterSpace space;
  private final Set<String> touched;

  /** What stands in the space before the names that are asked for. */
  private final String prefix;

  /** Gradients that lie in {@code space}, whose old values count for nothing. */
  public Gradients(Kernels kernels, ParameterSpace space) {
    this(kernels, space, new HashSet<>(), "");
  }

  private Gradients(Kernels kernels, ParameterSpace space, Set<String> touched, String prefix) {
    this.kernels = kernels;
    this.space = space;
    this.touched = touched;
    this.prefix = prefix;
  }

  /** The same for a model whose slots have a prefix here; {@link #finish} these, not those. */
  public Gradients within(String of) {
    return new Gradients(kernels, space, touched, prefix + of);
  }

  /** Where they lie. */
  public ParameterSpace space() {
    return space;
  }

  /** Whether the slot is trained. */
  boolean wants(String slot) {
    return space.slot(prefix + slot).isPresent();
  }

  /** The slot's gradient so far, to be added to; empty where the slot is frozen. */
  public Optional<Tensor> add(String slot) {
    Optional<Tensor> tensor = space.slot(prefix + slot);
    if (tensor.isPresent() && touched.add(prefix + slot)) {
      kernels.fill(tensor.get(), 0);
    }
    return tensor;
  }

  /** Adds a b, transposed as asked and scaled, to the slot's gradient; nothing if it is frozen. */
  void addProduct(
      String slot, Tensor a, boolean transposeA, Tensor b, boolean transposeB, double alpha) {
    space
        .slot(prefix + slot)
        .ifPresent(
            tensor -> {
              double beta = touched.add(prefix + slot) ? 0 : 1;
              kernels.matmul(tensor, a, transposeA, b, transposeB, alpha, beta);
            });
  }

  /** Zeroes the slots that nothing was added to. Call it once, after the last backward pass. */
  public void finish() {
    space.slots().forEach(slot -> add(slot.name()));
  }
}
