package dev.distillery.model.nn;

import dev.distillery.model.format.LayerKind;
import dev.distillery.model.format.LayerShape;
import dev.distillery.model.format.ModelConfig;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One layer of the decoder: what attention and then the MLP make of the residual stream joins it.
 * Where norms stand, what is normalised, rotated and gated is the family's {@link LayerShape}.
 */
final class Block {
  private final ModelConfig config;
  private final LayerShape shape;
  private final LayerKind kind;
  private final Kernels kernels;
  private final Workspace workspace;
  private final int layer;
  private final @Nullable Norm attentionNorm;
  private final @Nullable Norm attentionBranchNorm;
  private final @Nullable Norm mlpNorm;
  private final @Nullable Norm mlpBranchNorm;
  private final @Nullable Norm queryNorm;
  private final @Nullable Norm keyNorm;
  private final Linear attentionIn;
  private final Linear attentionOut;
  private final Linear mlpIn;
  private final Linear mlpOut;

  /** Cosines and sines of each row's angles. */
  record Rotation(Tensor cos, Tensor sin) {}

  /**
   * What a pass over a batch shares between layers.
   *
   * @param full what layers without a window see
   * @param local what layers with one see
   * @param rotation of layers without a window; null without rotary positions
   * @param localRotation of layers with one
   */
  record Pass(
      Linear.Pass linear,
      AttentionPlan full,
      AttentionPlan local,
      @Nullable Rotation rotation,
      @Nullable Rotation localRotation) {}

  /**
   * What the backward pass needs of the forward pass.
   *
   * @param x the layer's input (T, C)
   * @param qkv queries, keys and values as projected; queries and keys rotated, unless they are
   *     normalised first
   * @param qk queries and keys normalised and rotated; the columns of {@code qkv} where there are
   *     no norms
   * @param attentionBranch attention's output before its norm; unused without one
   * @param attentionSum x and attention's output, before a norm of the sum; unused without one
   * @param middle the MLP's input stream (T, C)
   * @param inner gate and up, or the activation's input
   * @param mlpBranch the MLP's output before its norm; unused without one
   * @param mlpSum as attentionSum
   */
  record Saved(
      Tensor x,
      Tensor qkv,
      Tensor qk,
      Tensor attended,
      Tensor logSumExp,
      Tensor attentionBranch,
      Tensor attentionSum,
      Tensor middle,
      Tensor inner,
      Tensor mlpBranch,
      Tensor mlpSum) {}

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
    this.shape = config.architecture().shape();
    this.kind = config.layerKinds().get(layer);
    this.kernels = kernels;
    this.workspace = workspace;
    this.layer = layer;
    DecoderLayout layout = new DecoderLayout(config);
    attentionNorm = norm(parameters, layout.attentionNorm(layer));
    attentionBranchNorm = norm(parameters, layout.attentionBranchNorm(layer));
    mlpNorm = norm(parameters, layout.mlpNorm(layer));
    mlpBranchNorm = norm(parameters, layout.mlpBranchNorm(layer));
    queryNorm = norm(parameters, layout.queryNorm(layer));
    keyNorm = norm(parameters, layout.keyNorm(layer));
    attentionIn = new Linear(kernels, workspace, parameters, layout.attentionIn(layer), lora);
    attentionOut = new Linear(kernels, workspace, parameters, layout.attentionOut(layer), lora);
    mlpIn = new Linear(kernels, workspace, parameters, layout.mlpIn(layer), lora);
    mlpOut = new Linear(kernels, workspace, parameters, layout.mlpOut(layer), lora);
  }

  private @Nullable Norm norm(Parameters parameters, String name) {
    return name.isEmpty()
        ? null
        : new Norm(kernels, workspace, parameters, name, shape.norm(), config.normEps());
  }

  void addAdapters(double sign) {
    List.of(attentionIn, attentionOut, mlpIn, mlpOut).forEach(l -> l.addAdapters(sign));
  }

  private int innerWidth() {
    return shape.gated() ? 2 * config.intermediateSize() : config.intermediateSize();
  }

  private int qkWidth() {
    return config.queryWidth() + config.kvWidth();
  }

  private int qkvWidth() {
    return qkWidth() + config.kvWidth();
  }

  /**
   * Where this pass keeps what the backward pass needs, under names that begin with {@code owner}.
   */
  Saved saved(Tensor x, String owner) {
    int n = x.rows();
    int width = config.hiddenSize();
    Tensor qkv = workspace.get(owner + "qkv", n, qkvWidth());
    Tensor middle = workspace.get(owner + "middle", n, width);
    return new Saved(
        x,
        qkv,
        queryNorm == null ? queriesAndKeys(qkv) : workspace.get(owner + "qk", n, qkWidth()),
        workspace.get(owner + "attended", n, config.queryWidth()),
        workspace.get(owner + "logSumExp", n, config.heads()),
        attentionBranchNorm == null ? x : workspace.get(owner + "attentionBranch", n, width),
        after() ? workspace.get(owner + "attentionSum", n, width) : middle,
        middle,
        workspace.get(owner + "inner", n, innerWidth()),
        mlpBranchNorm == null ? x : workspace.get(owner + "mlpBranch", n, width),
        after() ? workspace.get(owner + "mlpSum", n, width) : x);
  }

  private boolean after() {
    return shape.place() == LayerShape.NormPlace.AFTER;
  }

  /** out = the layer's output; everything in {@code s} but x is set. */
  void forward(Tensor out, Saved s, Pass pass) {
    attentionIn.forward(s.qkv, before(attentionNorm, s.x), false, pass.linear);
    place(s.qk, s.qkv, pass);
    kernels.attention(s.attended, s.logSumExp, q(s.qk), k(s.qk), v(s.qkv), plan(pass));
    join(
        s.attentionSum,
        s.x,
        attentionOut,
        s.attended,
        attentionBranchNorm,
        s.attentionBranch,
        pass,
        2 * layer);
    if (after()) {
      required(attentionNorm).forward(s.middle, s.attentionSum);
    }
    mlpIn.forward(s.inner, before(mlpNorm, s.middle), false, pass.linear);
    Tensor active = active(s.x.rows());
    activate(active, s.inner);
    Tensor sum = after() ? s.mlpSum : out;
    join(sum, s.middle, mlpOut, active, mlpBranchNorm, s.mlpBranch, pass, 2 * layer + 1);
    if (after()) {
      required(mlpNorm).forward(out, sum);
    }
  }

  /** What goes into attention or the MLP. */
  private Tensor before(@Nullable Norm norm, Tensor x) {
    if (!shape.place().before()) {
      return x;
    }
    Tensor normed = workspace.get("normed", x.rows(), config.hiddenSize());
    required(norm).forward(normed, x);
    return normed;
  }

  /** Normalises queries and keys where the family does, and rotates them where the layer does. */
  private void place(Tensor qk, Tensor qkv, Pass pass) {
    if (queryNorm != null) {
      queryNorm.forwardHeads(q(qk), q(qkv));
      required(keyNorm).forwardHeads(k(qk), k(qkv));
    }
    rotate(qk, pass, false);
  }

  /** out = x + scale dropout(norm(linear(input))); what the norm was given is kept. */
  private void join(
      Tensor out,
      Tensor x,
      Linear linear,
      Tensor input,
      @Nullable Norm norm,
      Tensor given,
      Pass pass,
      int site) {
    kernels.copy(out, x);
    boolean dropped = pass.linear.dropout().residual() > 0;
    double scale = config.scales().residual();
    if (norm == null && !dropped && scale == 1) {
      linear.forward(out, input, true, pass.linear);
      return;
    }
    Tensor branch = workspace.get("branch", x.rows(), x.columns());
    if (norm == null) {
      linear.forward(branch, input, false, pass.linear);
    } else {
      linear.forward(given, input, false, pass.linear);
      norm.forward(branch, given);
    }
    if (dropped) {
      dropResidual(branch, pass, site);
    }
    kernels.add(out, branch, scale);
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
    throughSum(dx, mlpNorm, s.mlpSum, gradients);
    Tensor dBranch = branchGradient(dx, mlpBranchNorm, s.mlpBranch, pass, gradients, 2 * layer + 1);
    Tensor active = active(n);
    activate(active, s.inner);
    Tensor dActive = workspace.get("dActive", n, config.intermediateSize());
    mlpOut.backward(dActive, dBranch, active, pass.linear, gradients);
    if (shape.gated()) {
      kernels.gateBackward(s.inner, dActive, config.activation());
    } else {
      kernels.activateBackward(s.inner, dActive, config.activation());
    }
    Tensor dInput = workspace.get("dInput", n, config.hiddenSize());
    mlpIn.backward(dInput, s.inner, before(mlpNorm, s.middle), pass.linear, gradients);
    throughInput(dx, dInput, mlpNorm, s.middle, gradients);

    throughSum(dx, attentionNorm, s.attentionSum, gradients);
    dBranch =
        branchGradient(dx, attentionBranchNorm, s.attentionBranch, pass, gradients, 2 * layer);
    Tensor dAttended = workspace.get("dAttended", n, config.queryWidth());
    attentionOut.backward(dAttended, dBranch, s.attended, pass.linear, gradients);
    Tensor dQkv = workspace.get("dQkv", n, qkvWidth());
    Tensor dQk = queryNorm == null ? queriesAndKeys(dQkv) : workspace.get("dQk", n, qkWidth());
    kernels.attentionBackward(
        q(dQk),
        k(dQk),
        v(dQkv),
        dAttended,
        s.attended,
        s.logSumExp,
        q(s.qk),
        k(s.qk),
        v(s.qkv),
        plan(pass));
    rotate(dQk, pass, true);
    if (queryNorm != null) {
      kernels.fill(queriesAndKeys(dQkv), 0);
      queryNorm.backwardHeads(q(dQkv), q(dQk), q(s.qkv), gradients);
      required(keyNorm).backwardHeads(k(dQkv), k(dQk), k(s.qkv), gradients);
    }
    boolean wants =
        wantsInput
            || (shape.place().before()
                && attentionNorm != null
                && attentionNorm.trained(gradients));
    attentionIn.backward(
        wants ? dInput : null, dQkv, before(attentionNorm, s.x), pass.linear, gradients);
    if (wants) {
      throughInput(dx, dInput, attentionNorm, s.x, gradients);
    }
  }

  /** The gradient of a sum, in place, from that of its norm, where there is one. */
  private void throughSum(Tensor dx, @Nullable Norm norm, Tensor sum, Gradients gradients) {
    if (after()) {
      Tensor dSum = workspace.get("dSum", dx.rows(), dx.columns());
      kernels.fill(dSum, 0);
      required(norm).backward(dSum, dx, sum, gradients);
      kernels.copy(dx, dSum);
    }
  }

  /** Adds to dx what came through {@link #before}. */
  private void throughInput(
      Tensor dx, Tensor dInput, @Nullable Norm norm, Tensor x, Gradients gradients) {
    if (shape.place().before()) {
      required(norm).backward(dx, dInput, x, gradients);
    } else {
      kernels.add(dx, dInput, 1);
    }
  }

  /** The gradient of what a linear layer gave {@link #join}. */
  private Tensor branchGradient(
      Tensor dx, @Nullable Norm norm, Tensor given, Pass pass, Gradients gradients, int site) {
    boolean dropped = pass.linear.dropout().residual() > 0;
    double scale = config.scales().residual();
    Tensor dBranch = dx;
    if (dropped || scale != 1) {
      dBranch = workspace.get("branch", dx.rows(), dx.columns());
      kernels.copy(dBranch, dx);
      if (dropped) {
        dropResidual(dBranch, pass, site);
      }
      if (scale != 1) {
        kernels.scale(dBranch, scale);
      }
    }
    if (norm == null) {
      return dBranch;
    }
    Tensor dGiven = workspace.get("dGiven", dx.rows(), dx.columns());
    kernels.fill(dGiven, 0);
    norm.backward(dGiven, dBranch, given, gradients);
    return dGiven;
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
    Tensor input = before(attentionNorm, x);
    linear(qkv, input, attentionIn, packed == null ? null : packed.attentionIn, pass);
    place(queriesAndKeys(qkv), qkv, pass);
    kernels.scatter(keys, cacheRows, k(qkv));
    kernels.scatter(values, cacheRows, v(qkv));
    Tensor attended = workspace.get("infer.attended", n, config.queryWidth());
    Tensor logSumExp = workspace.get("infer.logSumExp", n, config.heads());
    kernels.attention(attended, logSumExp, q(qkv), keys, values, plan(pass));
    Tensor branch = workspace.get("branch", n, config.hiddenSize());
    linear(branch, attended, attentionOut, packed == null ? null : packed.attentionOut, pass);
    inferJoin(x, branch, attentionBranchNorm, attentionNorm);
    Tensor inner = workspace.get("infer.inner", n, innerWidth());
    linear(inner, before(mlpNorm, x), mlpIn, packed == null ? null : packed.mlpIn, pass);
    Tensor active = active(n);
    activate(active, inner);
    linear(branch, active, mlpOut, packed == null ? null : packed.mlpOut, pass);
    inferJoin(x, branch, mlpBranchNorm, mlpNorm);
  }

  private void inferJoin(
      Tensor x, Tensor branch, @Nullable Norm branchNorm, @Nullable Norm sumNorm) {
    if (branchNorm != null) {
      branchNorm.forward(branch, branch);
    }
    kernels.add(x, branch, config.scales().residual());
    if (after()) {
      kernels.copy(branch, x);
      required(sumNorm).forward(x, branch);
    }
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
    if (shape.gated()) {
      kernels.gate(out, inner, config.activation());
    } else {
      kernels.activate(out, inner, config.activation());
    }
  }

  private void rotate(Tensor queriesAndKeys, Pass pass, boolean inverse) {
    Rotation rotation = kind.local() ? pass.localRotation : pass.rotation;
    if (kind.rotated() && rotation != null) {
      kernels.rotate(queriesAndKeys, rotation.cos, rotation.sin, inverse);
    }
  }

  private AttentionPlan plan(Pass pass) {
    return kind.local() ? pass.local : pass.full;
  }

  /** The family's shape says that the norm is there, and the layout has named it. */
  private static Norm required(@Nullable Norm norm) {
    return Objects.requireNonNull(norm);
  }

  private Tensor active(int rows) {
    return workspace.get("active", rows, config.intermediateSize());
  }

  private Tensor queriesAndKeys(Tensor qkv) {
    return qkv.columns(0, qkWidth());
  }

  private Tensor q(Tensor qkv) {
    return qkv.columns(0, config.queryWidth());
  }

  private Tensor k(Tensor qkv) {
    return qkv.columns(config.queryWidth(), config.kvWidth());
  }

  private Tensor v(Tensor qkv) {
    return qkv.columns(qkWidth(), config.kvWidth());
  }
}
