package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/**
 * Kernels made of ND4J operations only: what runs on CUDA, and the reference that the fused ones
 * are checked against. With float64 they serve gradient checks. Temporaries are allocated freely;
 * speed is not their aim.
 */
public final class PortableKernels implements Kernels {
  private static final double SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
  private static final double GELU_CUBE = 0.044715;

  private final DataType type;

  /** Kernels that compute in float32. */
  public PortableKernels() {
    this(DataType.FLOAT);
  }

  /** Kernels that compute in the given type, FLOAT or DOUBLE. */
  PortableKernels(DataType type) {
    this.type = type;
  }

  @Override
  public String describe() {
    return "portable kernels: ND4J "
        + Nd4j.getBackend().getClass().getSimpleName()
        + ", BLAS "
        + Nd4j.getExecutioner().getEnvironmentInformation().getProperty("blas.vendor");
  }

  @Override
  public Memory allocate(long values) {
    if (values > Memory.MAX_VALUES) {
      throw new IllegalArgumentException(
          "A memory holds at most " + Memory.MAX_VALUES + " values: " + values);
    }
    return new NdMemory(type, Math.max(1, values));
  }

  @Override
  public void matmul(
      Tensor out,
      Tensor a,
      boolean transposeA,
      Tensor b,
      boolean transposeB,
      double alpha,
      double beta) {
    INDArray left = transposeA ? view(a).transpose() : view(a);
    INDArray right = transposeB ? view(b).transpose() : view(b);
    try (INDArray product = left.mmul(right)) {
      product.muli(alpha);
      if (beta == 0) {
        view(out).assign(product);
      } else {
        view(out).muli(beta).addi(product);
      }
    }
  }

  @Override
  public void fill(Tensor out, double value) {
    view(out).assign(value);
  }

  @Override
  public void copy(Tensor out, Tensor x) {
    view(out).assign(view(x));
  }

  @Override
  public void add(Tensor out, Tensor x, double scale) {
    try (INDArray scaled = view(x).mul(scale)) {
      view(out).addi(scaled);
    }
  }

  @Override
  public void scale(Tensor out, double factor) {
    view(out).muli(factor);
  }

  @Override
  public void addRow(Tensor out, Tensor row) {
    view(out).addiRowVector(view(row));
  }

  @Override
  public void addColumnSums(Tensor out, Tensor x) {
    view(out).addi(view(x).sum(true, 0));
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    try (INDArray wide = view(x).castTo(DataType.DOUBLE).dup()) {
      view(out).assign(wide.muli(wide).sumNumber().doubleValue());
    }
  }

  @Override
  public void gather(Tensor out, Tensor table, Ids rows) {
    int[] ids = HostIds.of(rows);
    view(out).assign(view(table).getRows(ids));
  }

  @Override
  public void scatterAdd(Tensor table, Ids rows, Tensor x) {
    int[] ids = HostIds.of(rows);
    INDArray into = view(table);
    INDArray from = view(x);
    for (int i = 0; i < ids.length; i++) {
      into.getRow(ids[i]).addi(from.getRow(i));
    }
  }

  @Override
  public void scatter(Tensor table, Ids rows, Tensor x) {
    int[] ids = HostIds.of(rows);
    INDArray into = view(table);
    INDArray from = view(x);
    for (int i = 0; i < ids.length; i++) {
      into.getRow(ids[i]).assign(from.getRow(i));
    }
  }

  @Override
  public void rmsNorm(Tensor out, Tensor x, Tensor gain, double eps) {
    INDArray input = view(x);
    view(out).assign(input.mulColumnVector(inverseRms(input, eps)).muliRowVector(view(gain)));
  }

  /** With n = x / rms and g = dOut * gain: dx += (g - n mean(g n)) / rms; dGain += sum(dOut n). */
  @Override
  public void rmsNormBackward(
      Tensor dx, @Nullable Tensor dGain, Tensor dOut, Tensor x, Tensor gain, double eps) {
    INDArray input = view(x);
    INDArray inverse = inverseRms(input, eps);
    INDArray normal = input.mulColumnVector(inverse);
    if (dGain != null) {
      view(dGain).addi(view(dOut).mul(normal).sum(true, 0));
    }
    INDArray g = view(dOut).mulRowVector(view(gain));
    INDArray projection = normal.mulColumnVector(g.mul(normal).mean(true, 1));
    view(dx).addi(g.subi(projection).muliColumnVector(inverse));
  }

  private static INDArray inverseRms(INDArray x, double eps) {
    return Transforms.pow(x.mul(x).mean(true, 1).addi(eps), -0.5, false);
  }

  @Override
  public void layerNorm(Tensor out, Tensor x, Tensor gain, Tensor bias, double eps) {
    INDArray centred = centred(view(x));
    view(out)
        .assign(
            centred
                .muliColumnVector(inverseRms(centred, eps))
                .muliRowVector(view(gain))
                .addiRowVector(view(bias)));
  }

  /** As {@link #rmsNormBackward} on x - mean, whose gradient is centred in turn. */
  @Override
  public void layerNormBackward(
      Tensor dx,
      @Nullable Tensor dGain,
      @Nullable Tensor dBias,
      Tensor dOut,
      Tensor x,
      Tensor gain,
      double eps) {
    INDArray centred = centred(view(x));
    INDArray inverse = inverseRms(centred, eps);
    INDArray normal = centred.mulColumnVector(inverse);
    if (dGain != null) {
      view(dGain).addi(view(dOut).mul(normal).sum(true, 0));
    }
    if (dBias != null) {
      view(dBias).addi(view(dOut).sum(true, 0));
    }
    INDArray g = view(dOut).mulRowVector(view(gain));
    INDArray projection = normal.mulColumnVector(g.mul(normal).mean(true, 1));
    view(dx).addi(centred(g).subi(projection).muliColumnVector(inverse));
  }

  private static INDArray centred(INDArray x) {
    return x.subColumnVector(x.mean(true, 1));
  }

  @Override
  public void rotate(Tensor x, Tensor cos, Tensor sin, boolean inverse) {
    int half = cos.columns();
    INDArray c = view(cos);
    INDArray s = inverse ? view(sin).neg() : view(sin);
    for (int head = 0; head < x.columns() / (2 * half); head++) {
      INDArray a = view(x.columns(2 * half * head, half));
      INDArray b = view(x.columns(2 * half * head + half, half));
      INDArray rotated = a.mul(c).subi(b.mul(s));
      b.assign(b.mul(c).addi(a.mul(s)));
      a.assign(rotated);
    }
  }

  @Override
  public void attention(
      Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionPlan plan) {
    forEachHead(
        plan,
        (sequence, head) -> {
          INDArray scores =
              scores(queries(q, plan, sequence, head), keys(k, plan, sequence, head), plan);
          INDArray max = scores.max(true, 1);
          INDArray weights = Transforms.exp(scores.subiColumnVector(max), false);
          INDArray sum = weights.sum(true, 1);
          weights.diviColumnVector(sum);
          view(queries(out, plan, sequence, head))
              .assign(weights.mmul(view(keys(v, plan, sequence, head))));
          view(statistics(logSumExp, plan, sequence, head)).assign(Transforms.log(sum).addi(max));
        });
  }

  /**
   * With P the weights and D = rowsum(dOut out): dV = P^T dOut, dS = P (dOut V^T - D), dQ = dS K.
   */
  @Override
  public void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dOut,
      Tensor out,
      Tensor logSumExp,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionPlan plan) {
    view(dk).assign(0);
    view(dv).assign(0);
    forEachHead(
        plan,
        (sequence, head) -> {
          INDArray keys = view(keys(k, plan, sequence, head));
          INDArray values = view(keys(v, plan, sequence, head));
          INDArray queries = view(queries(q, plan, sequence, head));
          INDArray gradient = view(queries(dOut, plan, sequence, head));
          INDArray weights =
              Transforms.exp(
                  scores(queries(q, plan, sequence, head), keys(k, plan, sequence, head), plan)
                      .subiColumnVector(view(statistics(logSumExp, plan, sequence, head))),
                  false);
          view(keys(dv, plan, sequence, head)).addi(weights.transpose().mmul(gradient));
          INDArray d = gradient.mul(view(queries(out, plan, sequence, head))).sum(true, 1);
          INDArray dScores = gradient.mmul(values.transpose()).subiColumnVector(d);
          dScores.muli(weights).muli(plan.scale());
          view(queries(dq, plan, sequence, head)).assign(dScores.mmul(keys));
          view(keys(dk, plan, sequence, head)).addi(dScores.transpose().mmul(queries));
        });
  }

  private interface HeadBody {
    void accept(int sequence, int head);
  }

  private static void forEachHead(AttentionPlan plan, HeadBody body) {
    for (int sequence = 0; sequence < plan.sequences(); sequence++) {
      for (int head = 0; head < plan.heads(); head++) {
        body.accept(sequence, head);
      }
    }
  }

  private static Tensor queries(Tensor x, AttentionPlan plan, int sequence, int head) {
    return x.rows(plan.queryStarts()[sequence], plan.queryCounts()[sequence])
        .columns(head * plan.headDim(), plan.headDim());
  }

  private static Tensor keys(Tensor x, AttentionPlan plan, int sequence, int head) {
    return x.rows(plan.keyStarts()[sequence], plan.keyCounts()[sequence])
        .columns(head / plan.group() * plan.headDim(), plan.headDim());
  }

  private static Tensor statistics(Tensor x, AttentionPlan plan, int sequence, int head) {
    return x.rows(plan.queryStarts()[sequence], plan.queryCounts()[sequence]).columns(head, 1);
  }

  private INDArray scores(Tensor queries, Tensor keys, AttentionPlan plan) {
    INDArray scores = view(queries).mmul(view(keys).transpose()).muli(plan.scale());
    int hidden = keys.rows() - queries.rows();
    float[][] mask = new float[queries.rows()][keys.rows()];
    for (int i = 0; i < queries.rows(); i++) {
      Arrays.fill(mask[i], 0, plan.firstKey(hidden + i), -1e30f);
      Arrays.fill(mask[i], hidden + i + 1, keys.rows(), -1e30f);
    }
    return scores.addi(Nd4j.createFromArray(mask).castTo(type));
  }

  @Override
  public void gate(Tensor out, Tensor gateUp, Activation activation) {
    INDArray gate = view(gateUp.columns(0, out.columns()));
    INDArray up = view(gateUp.columns(out.columns(), out.columns()));
    view(out).assign(cumulative(gate, activation).muli(gate).muli(up));
  }

  /** With a = activation(gate): dGate = dOut up a'(gate), dUp = dOut a. */
  @Override
  public void gateBackward(Tensor gateUp, Tensor dOut, Activation activation) {
    INDArray gate = view(gateUp.columns(0, dOut.columns()));
    INDArray up = view(gateUp.columns(dOut.columns(), dOut.columns()));
    INDArray dUp = cumulative(gate, activation).muli(gate).muli(view(dOut));
    gate.assign(slope(gate, activation).muli(up).muli(view(dOut)));
    up.assign(dUp);
  }

  @Override
  public void activate(Tensor out, Tensor x, Activation activation) {
    INDArray input = view(x);
    view(out).assign(cumulative(input, activation).muli(input));
  }

  @Override
  public void activateBackward(Tensor x, Tensor dOut, Activation activation) {
    INDArray input = view(x);
    input.assign(slope(input, activation).muli(view(dOut)));
  }

  /** All three are x c(x), so the slope is c(x) + x c'(x). */
  private static INDArray slope(INDArray input, Activation activation) {
    INDArray c = cumulative(input, activation);
    INDArray slope =
        switch (activation) {
          case SILU -> c.mul(c.rsub(1));
          case GELU_TANH -> {
            INDArray tanhSlope = c.mul(c.rsub(1)).muli(2);
            yield tanhSlope.muli(input.mul(input).muli(3 * GELU_CUBE).addi(1).muli(SQRT_2_OVER_PI));
          }
          case GELU ->
              Transforms.exp(input.mul(input).muli(-0.5), false).muli(1 / Math.sqrt(2 * Math.PI));
        };
    return slope.muli(input).addi(c);
  }

  /** c(x) of activation(x) = x c(x). */
  private static INDArray cumulative(INDArray x, Activation activation) {
    return switch (activation) {
      case SILU -> Transforms.sigmoid(x, true);
      case GELU_TANH -> {
        INDArray inner = x.mul(x).muli(GELU_CUBE).addi(1).muli(x).muli(SQRT_2_OVER_PI);
        yield Transforms.tanh(inner, false).addi(1).muli(0.5);
      }
      case GELU -> erf(x.mul(Math.sqrt(0.5))).addi(1).muli(0.5);
    };
  }

  private static INDArray erf(INDArray x) {
    return Nd4j.getExecutioner().exec(new org.nd4j.linalg.api.ops.impl.transforms.strict.Erf(x, x));
  }

  @Override
  public void dropout(Tensor x, double probability, long[] rowKeys) {
    float keep = (float) (1 / (1 - probability));
    float[][] mask = new float[x.rows()][x.columns()];
    for (int i = 0; i < mask.length; i++) {
      for (int j = 0; j < mask[i].length; j++) {
        mask[i][j] = CounterRandom.uniform(rowKeys[i], j) >= probability ? keep : 0;
      }
    }
    view(x).muli(Nd4j.createFromArray(mask).castTo(type));
  }

  @Override
  public void logProbs(Tensor scores, Tensor logits, Ids ids) {
    int[] targets = HostIds.of(ids);
    score(scores, logSoftmax(view(logits)), targets);
  }

  private void score(Tensor scores, INDArray logP, int[] targets) {
    INDArray chosen = Nd4j.create(type, targets.length, 1);
    for (int i = 0; i < targets.length; i++) {
      chosen.putScalar(i, 0, logP.getDouble(i, targets[i]));
    }
    view(scores.columns(0, 1)).assign(chosen);
    view(scores.columns(1, 1)).assign(Transforms.exp(logP, true).muli(logP).sum(true, 1).negi());
    view(scores.columns(2, 1)).assign(chosen.sub(logP.max(true, 1)).gte(0).castTo(type));
  }

  @Override
  public void logProbsBackward(Tensor scores, Tensor logits, Ids ids, double[] weights) {
    int[] targets = HostIds.of(ids);
    INDArray logP = logSoftmax(view(logits));
    score(scores, logP, targets);
    INDArray gradient = view(logits);
    INDArray column = Nd4j.createFromArray(weights).castTo(type).reshape(weights.length, 1);
    gradient.assign(Transforms.exp(logP, false).muliColumnVector(column.neg()));
    for (int i = 0; i < targets.length; i++) {
      gradient.putScalar(i, targets[i], gradient.getDouble(i, targets[i]) + weights[i]);
    }
  }

  private static INDArray logSoftmax(INDArray x) {
    INDArray shifted = x.subColumnVector(x.max(true, 1));
    return shifted.subiColumnVector(Transforms.log(Transforms.exp(shifted, true).sum(true, 1)));
  }

  @Override
  public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
    INDArray g = view(gradient).mul(step.gradScale());
    view(m).muli(step.beta1()).addi(g.mul(1 - step.beta1()));
    view(v).muli(step.beta2()).addi(g.mul(g).muli(1 - step.beta2()));
    double size = step.learningRate() / (1 - Math.pow(step.beta1(), (double) step.step()));
    double root = Math.sqrt(1 - Math.pow(step.beta2(), (double) step.step()));
    INDArray denominator = Transforms.sqrt(view(v), true).divi(root).addi(step.epsilon());
    view(parameter)
        .muli(1 - step.learningRate() * step.weightDecay())
        .subi(view(m).mul(size).divi(denominator));
  }

  @Override
  public Packed pack(Tensor weights, boolean inputsFirst) {
    if (!inputsFirst) {
      return new PackedRows(weights, false);
    }
    int outputs = weights.columns();
    Tensor transposed = tensor(outputs, weights.rows());
    view(transposed).assign(view(weights).transpose());
    return new PackedRows(transposed, true);
  }

  /** The library chooses by the size of a product how to add it up. */
  @Override
  public boolean rowsStandAlone() {
    return false;
  }

  @Override
  public void project(Tensor out, Tensor x, Packed weights) {
    matmul(out, x, false, ((PackedRows) weights.view()).weights(), true, 1, 0);
  }

  @Override
  public void close() {}

  private static INDArray view(Tensor tensor) {
    return NdMemory.view(tensor);
  }
}
