package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import dev.distillery.model.format.BlockCodec;
import dev.distillery.model.format.TensorType;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Everything a decoder computes, as operations on {@link Tensor}s that this object allocated. There
 * are two implementations: {@link PortableKernels} (ND4J operations only) and the fused ones for
 * processors in a module of their own; {@link KernelSets} chooses.
 *
 * <p>A fused operation has a default, written out on the host: what a new set may begin with, and
 * what every set's own is compared with. Nothing but memory that is read gives values back, so that
 * a set need not wait for what it was asked before.
 *
 * <p>Outputs are preallocated by the caller. An output may be an input only where a method says so.
 * One object serves one thread at a time. The same calls give the same bits on the same kind of
 * processor, whatever the number of threads.
 */
public interface Kernels extends AutoCloseable {
  /** What computes here and how fast its matrix products are, in a line for the log. */
  String describe();

  /**
   * New memory, all zero.
   *
   * @throws IllegalArgumentException if {@code values} is over {@link Memory#MAX_VALUES}
   */
  Memory allocate(long values);

  /** A new zero matrix in a memory of its own. */
  default Tensor tensor(int rows, int columns) {
    return new Tensor(allocate((long) rows * columns), 0, rows, columns);
  }

  // Linear algebra

  /**
   * out = alpha op(a) op(b) + beta out, where op transposes if asked; beta 0 ignores what was
   * there.
   */
  void matmul(
      Tensor out,
      Tensor a,
      boolean transposeA,
      Tensor b,
      boolean transposeB,
      double alpha,
      double beta);

  /** out = value. */
  void fill(Tensor out, double value);

  /** out = x. */
  void copy(Tensor out, Tensor x);

  /** out += scale x. */
  void add(Tensor out, Tensor x, double scale);

  /** out *= factor. */
  void scale(Tensor out, double factor);

  /** Adds a row vector to every row. */
  default void addRow(Tensor out, Tensor row) {
    HostOperations.addRow(out, row);
  }

  /** Adds the sum of x's rows to a row vector. */
  default void addColumnSums(Tensor out, Tensor x) {
    HostOperations.addColumnSums(out, x);
  }

  /**
   * Sets out [1, 1] to the sum of the squares of all values of a contiguous x, summed in double.
   */
  default void sumOfSquares(Tensor out, Tensor x) {
    HostOperations.sumOfSquares(out, x);
  }

  // Rows by index

  /** Ids for operations of this object; they are not copied where they stay on the host. */
  default Ids ids(int[] values) {
    return new HostIds(values);
  }

  /** out[i] = table[ids[i]]. */
  void gather(Tensor out, Tensor table, Ids ids);

  /** table[ids[i]] += x[i], in order of i, so that repeated ids add up. */
  void scatterAdd(Tensor table, Ids ids, Tensor x);

  /** table[ids[i]] = x[i]; the ids are distinct. */
  void scatter(Tensor table, Ids ids, Tensor x);

  // Layers

  /**
   * RMSNorm (Zhang and Sennrich 2019): out = x / sqrt(mean(x^2) + eps) * gain, row by row; out may
   * be x.
   */
  default void rmsNorm(Tensor out, Tensor x, Tensor gain, double eps) {
    HostOperations.norm(out, x, gain, null, eps);
  }

  /** Adds the gradient of {@link #rmsNorm} to dx and, where it is wanted, to dGain. */
  default void rmsNormBackward(
      Tensor dx, @Nullable Tensor dGain, Tensor dOut, Tensor x, Tensor gain, double eps) {
    HostOperations.normBackward(dx, dGain, null, dOut, x, gain, eps, false);
  }

  /**
   * LayerNorm (Ba et al. 2016): out = (x - mean) / sqrt(variance + eps) * gain + bias, row by row.
   */
  default void layerNorm(Tensor out, Tensor x, Tensor gain, Tensor bias, double eps) {
    HostOperations.norm(out, x, gain, bias, eps);
  }

  /** Adds the gradient of {@link #layerNorm} to dx and, where wanted, to dGain and dBias. */
  default void layerNormBackward(
      Tensor dx,
      @Nullable Tensor dGain,
      @Nullable Tensor dBias,
      Tensor dOut,
      Tensor x,
      Tensor gain,
      double eps) {
    HostOperations.normBackward(dx, dGain, dBias, dOut, x, gain, eps, true);
  }

  /**
   * Rotary positions (Su et al. 2021) in place, halves rotated as Hugging Face does: for each head
   * (a, b) becomes (a cos - b sin, b cos + a sin).
   *
   * @param cos [rows, headDim / 2]; the width of a head follows from it
   * @param inverse rotates back, which is also the gradient
   */
  default void rotate(Tensor x, Tensor cos, Tensor sin, boolean inverse) {
    HostOperations.rotate(x, cos, sin, inverse);
  }

  /**
   * Causal attention: out = softmax(scale q k^T) v, per query head, over the keys of the plan's
   * window.
   *
   * @param out [queries, heads * headDim]
   * @param logSumExp [queries, heads], for the backward pass
   */
  void attention(Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionPlan plan);

  /**
   * Sets dq, dk and dv from the gradient of attention's output. Keys and queries are the same rows.
   */
  void attentionBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dOut,
      Tensor out,
      Tensor logSumExp,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionPlan plan);

  /**
   * A gated unit (Shazeer 2020): out = activation(gate) * up, where gateUp is [gate | up] side by
   * side. With SILU it is SwiGLU, with GELU it is GeGLU.
   */
  void gate(Tensor out, Tensor gateUp, Activation activation);

  /** Overwrites gateUp with its gradient. */
  void gateBackward(Tensor gateUp, Tensor dOut, Activation activation);

  /** out = activation(x); out may be x. */
  default void activate(Tensor out, Tensor x, Activation activation) {
    HostOperations.activate(out, x, activation);
  }

  /** Overwrites x with its gradient. */
  default void activateBackward(Tensor x, Tensor dOut, Activation activation) {
    HostOperations.activateBackward(x, dOut, activation);
  }

  /**
   * Inverted dropout in place: value (i, j) is kept, and divided by 1 - probability, where {@link
   * CounterRandom#uniform}(rowKeys[i], j) is at least the probability. The same keys give the same
   * mask, so the backward pass is the same call.
   */
  default void dropout(Tensor x, double probability, long[] rowKeys) {
    HostOperations.dropout(x, probability, rowKeys);
  }

  // Loss

  /** Columns of what {@link #logProbs} sets. */
  int SCORE_COLUMNS = 3;

  /**
   * What the logits say of one target per row.
   *
   * @param scores [rows, 3], set to log softmax(logits[i])[targets[i]], the entropy of the row in
   *     nats, and 1 where no other logit is larger than the target's, else 0
   * @param logits [rows, vocabulary]
   */
  default void logProbs(Tensor scores, Tensor logits, Ids targets) {
    HostOperations.logProbs(scores, logits, HostIds.of(targets), null);
  }

  /**
   * As {@link #logProbs}, and overwrites logits with the gradient of the weighted sum of the
   * log-probabilities: weights[i] (1[j = targets[i]] - softmax(logits[i])[j]).
   */
  default void logProbsBackward(Tensor scores, Tensor logits, Ids targets, double[] weights) {
    HostOperations.logProbs(scores, logits, HostIds.of(targets), weights);
  }

  // Optimiser

  /**
   * AdamW as PyTorch computes it (Loshchilov and Hutter 2019, with epsilon outside the bias
   * correction): p -= lr decay p; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; p -=
   * lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps), where g is gradScale times the
   * gradient.
   */
  default void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
    HostOperations.adamW(parameter, gradient, m, v, step);
  }

  /**
   * The constants of one AdamW update.
   *
   * @param step counts from 1
   */
  record AdamWStep(
      long step,
      double learningRate,
      double beta1,
      double beta2,
      double epsilon,
      double weightDecay,
      double gradScale) {}

  // Frozen weights in the form of their file

  /**
   * A frozen matrix in the form of its file.
   *
   * @param bytes the whole matrix [rows, columns], little-endian, as {@code WeightSource.rows}
   *     gives it; a view of a mapped file stays one, and the file must stay open
   */
  default Stored store(TensorType type, int rows, int columns, ByteBuffer bytes) {
    return new StoredBytes(type, rows, columns, bytes, () -> {});
  }

  /**
   * out = some rows of a stored matrix, the values that {@link BlockCodec} decodes.
   *
   * @param out [count, columns]
   * @param firstRow of the matrix
   */
  default void widen(Tensor out, Stored weights, int firstRow) {
    StoredBytes stored = (StoredBytes) weights;
    float[] row = new float[stored.columns()];
    for (int r = 0; r < out.rows(); r++) {
      BlockCodec.decode(
          stored.type(), stored.buffer(), stored.at(firstRow + r), FloatBuffer.wrap(row));
      out.rows(r, 1).write(row);
    }
  }

  // Decoding

  /**
   * A float32 matrix for {@link #project}: a view where the weights lie as [out, in], else a
   * transposed copy.
   *
   * @param inputsFirst whether the weights lie as [in, out]
   */
  Packed pack(Tensor weights, boolean inputsFirst);

  /** Whether {@link #pack(TensorType, int, int, ByteBuffer)} takes this type. */
  default boolean packs(TensorType type) {
    return false;
  }

  /**
   * A matrix in its file's blocks for {@link #project}, copied.
   *
   * @param bytes the whole matrix [rows, columns], little-endian, as {@code WeightSource.rows}
   *     gives it
   * @throws UnsupportedOperationException if {@link #packs} says no
   */
  default Packed pack(TensorType type, int rows, int columns, ByteBuffer bytes) {
    throw new UnsupportedOperationException("These kernels do not decode from " + type);
  }

  /**
   * A stored matrix for {@link #project}: here widened.
   *
   * @param inputsFirst whether it lies as [in, out]
   */
  default Packed pack(Stored weights, boolean inputsFirst) {
    Tensor whole = tensor(weights.rows(), weights.columns());
    widen(whole, weights, 0);
    return new PackedWeights.Owned(pack(whole, inputsFirst), whole.memory());
  }

  /**
   * Whether the bits of a row of {@link #project} depend on no other row, nor on how many there
   * are.
   */
  default boolean rowsStandAlone() {
    return true;
  }

  /**
   * out = x weights^T. The bits of a row depend on no other row where {@link #rowsStandAlone} says
   * so; else to rounding only.
   */
  void project(Tensor out, Tensor x, Packed weights);

  @Override
  void close();
}
