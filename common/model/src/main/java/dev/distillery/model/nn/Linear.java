package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.nn.DecoderLayout.LinearLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * y = W x + b, with adapters where there are some: y += scale B A dropout(x) on an adapter's own
 * columns of y. Frozen weights get no gradient and cost no gradient work.
 */
final class Linear {
  private final Kernels kernels;
  private final Workspace workspace;
  private final LinearLayout layout;

  /** [out, in], or [in, out] where inputs come first. */
  private final @Nullable Tensor weight;

  /** Parts of the same shape together, below each other. */
  private final @Nullable List<Stored> stored;

  /** [1, out]. */
  private final @Nullable Tensor bias;

  private final List<Adapter> adapters = new ArrayList<>();
  private final double adapterScale;

  /** What a linear layer needs to know of the pass it is in. */
  @SuppressWarnings("ArrayRecordComponent") // Built once a pass and only read.
  record Pass(Dropout dropout, boolean adapters, long[] tokenKeys) {}

  /**
   * A module's adapter.
   *
   * @param a [rank, in]
   * @param b [module's outputs, rank]
   */
  private record Adapter(
      String nameA, String nameB, Tensor a, Tensor b, int firstColumn, int columns, long site) {}

  Linear(
      Kernels kernels,
      Workspace workspace,
      Parameters parameters,
      LinearLayout layout,
      @Nullable LoraConfig lora) {
    this.kernels = kernels;
    this.workspace = workspace;
    this.layout = layout;
    this.weight = parameters.find(layout.slot()).orElse(null);
    this.stored = parameters.stored().slot(layout.slot()).orElse(null);
    this.bias =
        layout.bias() ? parameters.find(layout.biasSlot()).map(Tensor::asRow).orElse(null) : null;
    this.adapterScale = lora == null ? 0 : lora.scale();
    int column = 0;
    for (int m = 0; m < layout.modules().size(); m++) {
      String module = layout.modules().get(m);
      if (lora != null && lora.adapts(module)) {
        String a = DecoderLayout.loraA(module);
        String b = DecoderLayout.loraB(module);
        long site = module.hashCode();
        adapters.add(
            new Adapter(
                a, b, parameters.get(a), parameters.get(b), column, layout.outputs().get(m), site));
      }
      column += layout.outputs().get(m);
    }
  }

  /** out = y, or out += y where {@code accumulate} says so. */
  void forward(Tensor out, Tensor x, boolean accumulate, Pass pass) {
    multiply(out, x, !layout.inputsFirst(), accumulate ? 1 : 0);
    addBiasAndAdapters(out, x, pass);
  }

  /** out = x op(W) + beta out. */
  private void multiply(Tensor out, Tensor x, boolean transpose, double beta) {
    if (stored == null) {
      kernels.matmul(out, x, false, requireWeight(), transpose, 1, beta);
    } else {
      StoredWeights.multiply(kernels, workspace, out, x, stored, transpose, beta);
    }
  }

  /** As {@link #forward}, from packed weights, one below the other's outputs. */
  void project(Tensor out, Tensor x, List<Packed> packed, Pass pass) {
    int column = 0;
    for (Packed part : packed) {
      kernels.project(out.columns(column, part.rows()), x, part);
      column += part.rows();
    }
    if (bias != null) {
      kernels.addRow(out, bias);
    }
    if (pass.adapters()) {
      adapters.forEach(adapter -> project(out, x, adapter));
    }
  }

  /** An adapter's part row by row too: the bits of a row depend on no other. */
  private void project(Tensor out, Tensor x, Adapter adapter) {
    Tensor inner = workspace.get("lora.inner", x.rows(), adapter.a.rows());
    Tensor part = workspace.get("lora.part", x.rows(), adapter.columns);
    try (Packed a = kernels.pack(adapter.a, false);
        Packed b = kernels.pack(adapter.b, false)) {
      kernels.project(inner, x, a);
      kernels.project(part, inner, b);
    }
    kernels.add(out.columns(adapter.firstColumn, adapter.columns), part, adapterScale);
  }

  private void addBiasAndAdapters(Tensor out, Tensor x, Pass pass) {
    if (bias != null) {
      kernels.addRow(out, bias);
    }
    if (!pass.adapters()) {
      return;
    }
    for (Adapter adapter : adapters) {
      Tensor inner = inner(adapter, dropped(adapter, x, pass));
      kernels.matmul(
          out.columns(adapter.firstColumn, adapter.columns),
          inner,
          false,
          adapter.b,
          true,
          adapterScale,
          1);
    }
  }

  /**
   * The gradient of {@link #forward}.
   *
   * @param dx set to the gradient of x; null where nobody wants it
   */
  void backward(@Nullable Tensor dx, Tensor dOut, Tensor x, Pass pass, Gradients gradients) {
    if (layout.inputsFirst()) {
      gradients.addProduct(layout.slot(), x, true, dOut, false, 1);
    } else {
      gradients.addProduct(layout.slot(), dOut, true, x, false, 1);
    }
    if (bias != null) {
      gradients
          .add(layout.biasSlot())
          .ifPresent(dBias -> kernels.addColumnSums(dBias.asRow(), dOut));
    }
    if (dx != null) {
      multiply(dx, dOut, layout.inputsFirst(), 0);
    }
    if (pass.adapters()) {
      for (Adapter adapter : adapters) {
        backward(adapter, dx, dOut, x, pass, gradients);
      }
    }
  }

  /** With h = A dropout(x): dB = scale dY^T h, dh = scale dY B, dA = dh^T dropout(x). */
  private void backward(
      Adapter adapter, @Nullable Tensor dx, Tensor dOut, Tensor x, Pass pass, Gradients gradients) {
    Tensor dropped = dropped(adapter, x, pass);
    Tensor inner = inner(adapter, dropped);
    Tensor dY = dOut.columns(adapter.firstColumn, adapter.columns);
    gradients.addProduct(adapter.nameB, dY, true, inner, false, adapterScale);
    Tensor dInner = workspace.get("lora.dInner", x.rows(), adapter.a.rows());
    kernels.matmul(dInner, dY, false, adapter.b, false, adapterScale, 0);
    gradients.addProduct(adapter.nameA, dInner, true, dropped, false, 1);
    if (dx == null) {
      return;
    }
    if (pass.dropout().adapters() == 0) {
      kernels.matmul(dx, dInner, false, adapter.a, false, 1, 1);
      return;
    }
    Tensor dDropped = workspace.get("lora.dDropped", x.rows(), x.columns());
    kernels.matmul(dDropped, dInner, false, adapter.a, false, 1, 0);
    kernels.dropout(dDropped, pass.dropout().adapters(), keys(adapter, pass));
    kernels.add(dx, dDropped, 1);
  }

  /** W += sign scale B A. */
  void addAdapters(double sign) {
    for (Adapter adapter : adapters) {
      double scale = sign * adapterScale;
      if (layout.inputsFirst()) {
        Tensor part = requireWeight().columns(adapter.firstColumn, adapter.columns);
        kernels.matmul(part, adapter.a, true, adapter.b, true, scale, 1);
      } else {
        Tensor part = requireWeight().rows(adapter.firstColumn, adapter.columns);
        kernels.matmul(part, adapter.b, false, adapter.a, false, scale, 1);
      }
    }
  }

  private Tensor inner(Adapter adapter, Tensor dropped) {
    Tensor inner = workspace.get("lora.inner", dropped.rows(), adapter.a.rows());
    kernels.matmul(inner, dropped, false, adapter.a, true, 1, 0);
    return inner;
  }

  private Tensor dropped(Adapter adapter, Tensor x, Pass pass) {
    if (pass.dropout().adapters() == 0) {
      return x;
    }
    Tensor copy = workspace.get("lora.dropped", x.rows(), x.columns());
    kernels.copy(copy, x);
    kernels.dropout(copy, pass.dropout().adapters(), keys(adapter, pass));
    return copy;
  }

  private static long[] keys(Adapter adapter, Pass pass) {
    long[] keys = new long[pass.tokenKeys().length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = CounterRandom.key(pass.tokenKeys()[i], adapter.site);
    }
    return keys;
  }

  private Tensor requireWeight() {
    if (weight == null) {
      throw new IllegalStateException(
          stored == null
              ? "Weights " + layout.slot() + " are packed for decoding and cannot be trained"
              : "Weights " + layout.slot() + " stay in the form of their file and cannot change");
    }
    return weight;
  }
}
