package dev.distillery.model.nn;

import dev.distillery.model.format.Activation;
import dev.distillery.model.format.ModelConfig;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One layer of the decoder: x + attention(norm(x)), then that + mlp(norm(that)). The MLP is gated
 * (SwiGLU) in LLaMA and plain in GPT-2.
 */
final class Block {
  private final ModelConfig config;
  private final Kernels kernels;
  private final Workspace workspace;
  private final int layer;
  private final boolean gated;
  private final Norm attentionNorm;
  private final Norm mlpNorm;
  private final Linear attentionIn;
  private final Linear attentionOut;
  private final Linear mlpIn;
  private final Linear mlpOut;

  /**
   * What a pass over a batch shares between layers; cos and sin are null without rotary positions.
   */
  record Pass(Linear.Pass linear, AttentionPlan plan, @Nullable Tensor cos, @Nullable Tensor sin) {}

  /** What the backward pass needs of the forward pass. */
  record Saved(
      Tensor x, Tensor qkv, Tensor attended, Tensor logSumExp, Tensor middle, Tensor inner) {}

  /** A layer's weights as they lie for decoding. */
  record PackedLayer(
      List<Packed> attentionIn,
      List<Packed> attentionOut,
      List<Packed> mlpIn,
      List<Packed> mlpOut) {}

  Block(
      ModelConfig config,
      Kernels kernels,
      Workspace workspace,
      Parameters parameters,
      @Nullable LoraConfig lora,
      int layer) {
    this.config = config;
    this.kernels = kernels;
    this.workspace = workspace;
    this.layer = layer;
    DecoderLayout layout = new DecoderLayout(config);
    this.gated = !layout.gpt2();
    if (gated && config.activation() != Activation.SILU) {
      throw new IllegalArgumentException(
          "LLaMA's gated MLP is computed with silu only, not " + config.activation().configName());
    }
    attentionNorm = new Norm(kernels, parameters, layout.attentionNorm(layer), config.normEps());
    mlpNorm = new Norm(kernels, parameters, layout.mlpNorm(layer), config.normEps());
    attentionIn = new Linear(kernels, workspace, parameters, layout.attentionIn(layer), lora);
    attentionOut = new Linear(kernels, workspace, parameters, layout.attentionOut(layer), lora);
    mlpIn = new Linear(kernels, workspace, parameters, layout.mlpIn(layer), lora);
    mlpOut = new Linear(kernels, workspace, parameters, layout.mlpOut(layer), lora);
  }

  void addAdapters(double sign) {
    List.of(attentionIn, attentionOut, mlpIn, mlpOut).forEach(l -> l.addAdapters(sign));
  }

  private int innerWidth() {
    return gated ? 2 * config.intermediateSize() : config.intermediateSize();
  }

  private int qkvWidth() {
    return config.queryWidth() + 2 * config.kvWidth();
  }

  /**
   * Where this pass keeps what the backward pass needs, under names that begin with {@code owner}.
   */
  Saved saved(Tensor x, String owner) {
    int n = x.rows();
    return new Saved(
        x,
        workspace.get(owner + "qkv", n, qkvWidth()),
        workspace.get(owner + "attended", n, config.queryWidth()),
        workspace.get(owner + "logSumExp", n, config.heads()),
        workspace.get(owner + "middle", n, config.hiddenSize()),
        workspace.get(owner + "inner", n, innerWidth()));
  }

  /** out = the layer's output; everything in {@code s} but x is set. */
  void forward(Tensor out, Saved s, Pass pass) {
    attentionNorm.forward(normed(s.x), s.x);
    attentionIn.forward(s.qkv, normed(s.x), false, pass.linear);
    rotate(s.qkv, pass, false);
    kernels.attention(s.attended, s.logSumExp, q(s.qkv), k(s.qkv), v(s.qkv), pass.plan);
    join(s.middle, s.x, attentionOut, s.attended, pass, 2 * layer);
    mlpNorm.forward(normed(s.x), s.middle);
    mlpIn.forward(s.inner, normed(s.x), false, pass.linear);
    Tensor active = active(s.x.rows());
    activate(active, s.inner);
    join(out, s.middle, mlpOut, active, pass, 2 * layer + 1);
  }

  /** out = x + dropout(linear(input)). */
  private void join(Tensor out, Tensor x, Linear linear, Tensor input, Pass pass, int site) {
    kernels.copy(out, x);
    if (pass.linear.dropout().residual() == 0) {
      linear.forward(out, input, true, pass.linear);
      return;
    }
    Tensor branch = workspace.get("branch", x.rows(), x.columns());
    linear.forward(branch, input, false, pass.linear);
    dropResidual(branch, pass, site);
    kernels.add(out, branch, 1);
  }

  /**
   * Turns the gradient of the layer's output into that of its input, in place. {@code s.inner} is
   * overwritten.
   *
   * @param wantsInput whether anything below this layer is trained; if not, {@code dx} is left
   *     undefined
   */
  void backward(Tensor dx, Saved s, Pass pass, Gradients gradients, boolean wantsInput) {
    int n = dx.rows();
    Tensor dBranch = branchGradient(dx, pass, 2 * layer + 1);
    Tensor active = active(n);
    activate(active, s.inner);
    Tensor dActive = workspace.get("dActive", n, config.intermediateSize());
    mlpOut.backward(dActive, dBranch, active, pass.linear, gradients);
    if (gated) {
      kernels.swigluBackward(s.inner, dActive);
    } else {
      kernels.activateBackward(s.inner, dActive, config.activation());
    }
    mlpNorm.forward(normed(s.x), s.middle);
    Tensor dNormed = workspace.get("dNormed", n, config.hiddenSize());
    mlpIn.backward(dNormed, s.inner, normed(s.x), pass.linear, gradients);
    mlpNorm.backward(dx, dNormed, s.middle, gradients);

    dBranch = branchGradient(dx, pass, 2 * layer);
    Tensor dAttended = workspace.get("dAttended", n, config.queryWidth());
    attentionOut.backward(dAttended, dBranch, s.attended, pass.linear, gradients);
    Tensor dQkv = workspace.get("dQkv", n, qkvWidth());
    kernels.attentionBackward(
        q(dQkv),
        k(dQkv),
        v(dQkv),
        dAttended,
        s.attended,
        s.logSumExp,
        q(s.qkv),
        k(s.qkv),
        v(s.qkv),
        pass.plan);
    rotate(dQkv, pass, true);
    attentionNorm.forward(normed(s.x), s.x);
    attentionIn.backward(
        wantsInput || trainsNorm(gradients) ? dNormed : null,
        dQkv,
        normed(s.x),
        pass.linear,
        gradients);
    if (wantsInput || trainsNorm(gradients)) {
      attentionNorm.backward(dx, dNormed, s.x, gradients);
    }
  }

  private boolean trainsNorm(Gradients gradients) {
    return gradients.wants(new DecoderLayout(config).attentionNorm(layer) + ".weight");
  }

  private Tensor branchGradient(Tensor dx, Pass pass, int site) {
    if (pass.linear.dropout().residual() == 0) {
      return dx;
    }
    Tensor dBranch = workspace.get("branch", dx.rows(), dx.columns());
    kernels.copy(dBranch, dx);
    dropResidual(dBranch, pass, site);
    return dBranch;
  }

  private void dropResidual(Tensor x, Pass pass, int site) {
    kernels.dropout(
        x, pass.linear.dropout().residual(), Decoder.keys(pass.linear.tokenKeys(), site));
  }

  /**
   * The layer's output on new tokens, in place, without anything kept for a backward pass.
   *
   * @param keys cached keys of this layer, with {@code cacheRows} the rows of the new tokens
   * @param packed weights to decode from; null for whole products of the unpacked ones
   */
  void infer(
      Tensor x,
      Tensor keys,
      Tensor values,
      Ids cacheRows,
      Pass pass,
      @Nullable PackedLayer packed) {
    int n = x.rows();
    Tensor qkv = workspace.get("infer.qkv", n, qkvWidth());
    attentionNorm.forward(normed(x), x);
    linear(qkv, normed(x), attentionIn, packed == null ? null : packed.attentionIn, pass);
    rotate(qkv, pass, false);
    kernels.scatter(keys, cacheRows, k(qkv));
    kernels.scatter(values, cacheRows, v(qkv));
    Tensor attended = workspace.get("infer.attended", n, config.queryWidth());
    Tensor logSumExp = workspace.get("infer.logSumExp", n, config.heads());
    kernels.attention(attended, logSumExp, q(qkv), keys, values, pass.plan);
    Tensor branch = workspace.get("branch", n, config.hiddenSize());
    linear(branch, attended, attentionOut, packed == null ? null : packed.attentionOut, pass);
    kernels.add(x, branch, 1);
    mlpNorm.forward(normed(x), x);
    Tensor inner = workspace.get("infer.inner", n, innerWidth());
    linear(inner, normed(x), mlpIn, packed == null ? null : packed.mlpIn, pass);
    Tensor active = active(n);
    activate(active, inner);
    linear(branch, active, mlpOut, packed == null ? null : packed.mlpOut, pass);
    kernels.add(x, branch, 1);
  }

  private static void linear(
      Tensor out, Tensor x, Linear linear, @Nullable List<Packed> packed, Pass pass) {
    if (packed == null) {
      linear.forward(out, x, false, pass.linear);
    } else {
      linear.project(out, x, packed, pass.linear);
    }
  }

  private void activate(Tensor out, Tensor inner) {
    if (gated) {
      kernels.swiglu(out, inner);
    } else {
      kernels.activate(out, inner, config.activation());
    }
  }

  private void rotate(Tensor qkv, Pass pass, boolean inverse) {
    if (pass.cos != null && pass.sin != null) {
      Tensor queriesAndKeys = qkv.columns(0, config.queryWidth() + config.kvWidth());
      kernels.rotate(queriesAndKeys, pass.cos, pass.sin, inverse);
    }
  }

  private Tensor normed(Tensor x) {
    return workspace.get("normed", x.rows(), config.hiddenSize());
  }

  private Tensor active(int rows) {
    return workspace.get("active", rows, config.intermediateSize());
  }

  private Tensor q(Tensor qkv) {
    return qkv.columns(0, config.queryWidth());
  }

  private Tensor k(Tensor qkv) {
    return qkv.columns(config.queryWidth(), config.kvWidth());
  }

  private Tensor v(Tensor qkv) {
    return qkv.columns(config.queryWidth() + config.kvWidth(), config.kvWidth());
  }
}
