package dev.distillery.model.cpu;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.Activation;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.AttentionPlan;
import dev.distillery.model.nn.HostIds;
import dev.distillery.model.nn.Ids;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Memory;
import dev.distillery.model.nn.Packed;
import dev.distillery.model.nn.Stored;
import dev.distillery.model.nn.StoredBytes;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** Fused kernels for processors with the Vector API. */
public final class CpuKernels implements Kernels {
  /** Values whose squares one task sums: fixed, so that threads do not change the sum. */
  private static final int SUM_CHUNK = 1 << 16;

  /**
   * Products are cut only into parts with this many multiplications: for small ones OpenBLAS has
   * other kernels, which round differently.
   */
  private static final double LARGE_PRODUCT = 4e6;

  /**
   * Rows of a product are cut at multiples of this, where every kernel of OpenBLAS begins a new
   * tile (tiles of 12 on AVX2, of 16 on AVX-512), so that a row's bits do not depend on the cut.
   */
  private static final int ROW_TILES = 48;

  /** Fewest columns of a part, and most parts, where columns are cut. */
  private static final int PART_COLUMNS = 384;

  private static final int MOST_PARTS = 16;

  private final Workers workers;
  private final AttentionMath attention;
  private final Projection projection;

  /** Kernels on so many threads, the caller's among them. */
  public CpuKernels(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("Kernels need at least one thread: " + threads);
    }
    this.workers = new Workers(threads);
    this.attention = new AttentionMath(workers);
    this.projection = new Projection(workers);
  }

  @Override
  public String describe() {
    return "CPU kernels: %d threads, vectors of %d floats, OpenBLAS %.0f GFLOP/s a thread"
        .formatted(workers.count(), Lanes.WIDTH, Blas.measure());
  }

  @Override
  public Memory allocate(long values) {
    if (values > Memory.MAX_VALUES) {
      throw new IllegalArgumentException(
          "A memory holds at most " + Memory.MAX_VALUES + " values: " + values);
    }
    return new CpuMemory(Math.max(1, values));
  }

  /** Cuts the rows of out between the threads, or its columns where there are few rows. */
  @Override
  public void matmul(
      Tensor out,
      Tensor a,
      boolean transposeA,
      Tensor b,
      boolean transposeB,
      double alpha,
      double beta) {
    int k = transposeA ? a.rows() : a.columns();
    boolean byRows = out.rows() >= out.columns() / 4;
    int size = byRows ? out.rows() : out.columns();
    double work = (double) k * out.rows() * out.columns();
    int step = byRows ? rowStep(size, work) : columnStep(size, work);
    int tasks = (size - 1) / step + 1;
    workers.forTasks(
        tasks,
        i -> {
          int from = i * step;
          int count = Math.min(step, size - from);
          Tensor c = byRows ? out.rows(from, count) : out.columns(from, count);
          Tensor left = !byRows ? a : transposeA ? a.columns(from, count) : a.rows(from, count);
          Tensor right = byRows ? b : transposeB ? b.rows(from, count) : b.columns(from, count);
          Blas.sgemm(
              transposeA,
              transposeB,
              c.rows(),
              c.columns(),
              k,
              (float) alpha,
              CpuMemory.address(left),
              left.stride(),
              CpuMemory.address(right),
              right.stride(),
              (float) beta,
              CpuMemory.address(c),
              c.stride());
        });
  }

  /** Rows of a part, as many parts as threads; all of them where the last would be too small. */
  private int rowStep(int rows, double work) {
    int part = ((rows - 1) / workers.count() / ROW_TILES + 1) * ROW_TILES;
    int last = rows - (rows - 1) / part * part;
    return last * (work / rows) >= LARGE_PRODUCT ? part : rows;
  }

  /** Columns of a part: bits depend on how columns are cut, so threads have no say in it. */
  private static int columnStep(int columns, double work) {
    int parts =
        Math.min(MOST_PARTS, Math.min(columns / PART_COLUMNS, (int) (work / LARGE_PRODUCT)));
    return parts < 2 ? columns : ((columns - 1) / parts / ROW_TILES + 1) * ROW_TILES;
  }

  private interface RowBody {
    void run(int row);
  }

  private void forRows(int rows, int columns, RowBody body) {
    int grain = Math.max(1, 8192 / columns);
    workers.forRange(
        rows,
        grain,
        (from, to) -> {
          for (int r = from; r < to; r++) {
            body.run(r);
          }
        });
  }

  /** A body over runs of at most a task's worth of contiguous values, or over rows. */
  private void forRuns(Tensor x, RunBody body) {
    if (!x.contiguous()) {
      forRows(x.rows(), x.columns(), r -> body.run(r, 0, x.columns()));
      return;
    }
    workers.forRange((int) x.size(), 1 << 14, (from, to) -> body.run(0, from, to - from));
  }

  private interface RunBody {
    void run(int row, int from, int count);
  }

  @Override
  public void fill(Tensor out, double value) {
    ByteBuffer o = CpuMemory.buffer(out);
    forRuns(
        out, (r, from, n) -> RowMath.fill(o, CpuMemory.at(out, r) + 4 * from, (float) value, n));
  }

  @Override
  public void copy(Tensor out, Tensor x) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer from = CpuMemory.buffer(x);
    forRows(
        out.rows(),
        out.columns(),
        r -> RowMath.copy(o, CpuMemory.at(out, r), from, CpuMemory.at(x, r), out.columns()));
  }

  @Override
  public void add(Tensor out, Tensor x, double scale) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(x);
    if (out.contiguous() && x.contiguous()) {
      forRuns(
          out,
          (r, from, n) ->
              RowMath.add(
                  o,
                  CpuMemory.at(out, 0) + 4 * from,
                  in,
                  CpuMemory.at(x, 0) + 4 * from,
                  (float) scale,
                  n));
      return;
    }
    forRows(
        out.rows(),
        out.columns(),
        r ->
            RowMath.add(
                o, CpuMemory.at(out, r), in, CpuMemory.at(x, r), (float) scale, out.columns()));
  }

  @Override
  public void scale(Tensor out, double factor) {
    ByteBuffer o = CpuMemory.buffer(out);
    forRuns(
        out, (r, from, n) -> RowMath.scale(o, CpuMemory.at(out, r) + 4 * from, (float) factor, n));
  }

  @Override
  public void addRow(Tensor out, Tensor row) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer b = CpuMemory.buffer(row);
    int at = CpuMemory.at(row, 0);
    forRows(
        out.rows(),
        out.columns(),
        r -> RowMath.add(o, CpuMemory.at(out, r), b, at, 1, out.columns()));
  }

  /** Threads own columns, so that rows are added in order. */
  @Override
  public void addColumnSums(Tensor out, Tensor x) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(x);
    int into = CpuMemory.at(out, 0);
    workers.forRange(
        x.columns(),
        64,
        (from, to) -> {
          for (int r = 0; r < x.rows(); r++) {
            RowMath.add(o, into + 4 * from, in, CpuMemory.at(x, r) + 4 * from, 1, to - from);
          }
        });
  }

  @Override
  public void sumOfSquares(Tensor out, Tensor x) {
    if (!x.contiguous()) {
      throw new IllegalArgumentException("Squares are summed over contiguous values only");
    }
    ByteBuffer in = CpuMemory.buffer(x);
    long size = x.size();
    double[] sums = new double[(int) ((size + SUM_CHUNK - 1) / SUM_CHUNK)];
    workers.forTasks(
        sums.length,
        i -> {
          long from = (long) i * SUM_CHUNK;
          int n = (int) Math.min(SUM_CHUNK, size - from);
          double sum = 0;
          for (int done = 0; done < n; done += 1024) {
            sum +=
                RowMath.squares(
                    in, CpuMemory.at(x, 0) + 4 * ((int) from + done), 0, Math.min(1024, n - done));
          }
          sums[i] = sum;
        });
    CpuMemory.buffer(out).putFloat(CpuMemory.at(out, 0), (float) Arrays.stream(sums).sum());
  }

  @Override
  public void gather(Tensor out, Tensor table, Ids rows) {
    int[] ids = HostIds.of(rows);
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(table);
    forRows(
        ids.length,
        out.columns(),
        r -> RowMath.copy(o, CpuMemory.at(out, r), in, CpuMemory.at(table, ids[r]), out.columns()));
  }

  /** Threads own columns, so that repeated ids are added in order. */
  @Override
  public void scatterAdd(Tensor table, Ids rows, Tensor x) {
    int[] ids = HostIds.of(rows);
    ByteBuffer o = CpuMemory.buffer(table);
    ByteBuffer in = CpuMemory.buffer(x);
    workers.forRange(
        x.columns(),
        64,
        (from, to) -> {
          for (int r = 0; r < ids.length; r++) {
            RowMath.add(
                o,
                CpuMemory.at(table, ids[r]) + 4 * from,
                in,
                CpuMemory.at(x, r) + 4 * from,
                1,
                to - from);
          }
        });
  }

  @Override
  public void scatter(Tensor table, Ids rows, Tensor x) {
    int[] ids = HostIds.of(rows);
    ByteBuffer o = CpuMemory.buffer(table);
    ByteBuffer in = CpuMemory.buffer(x);
    forRows(
        ids.length,
        x.columns(),
        r -> RowMath.copy(o, CpuMemory.at(table, ids[r]), in, CpuMemory.at(x, r), x.columns()));
  }

  @Override
  public void rmsNorm(Tensor out, Tensor x, Tensor gain, double eps) {
    norm(out, x, gain, null, eps, false);
  }

  @Override
  public void layerNorm(Tensor out, Tensor x, Tensor gain, Tensor bias, double eps) {
    norm(out, x, gain, bias, eps, true);
  }

  private void norm(
      Tensor out, Tensor x, Tensor gain, @Nullable Tensor bias, double eps, boolean centred) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(x);
    ByteBuffer g = CpuMemory.buffer(gain);
    int gainAt = CpuMemory.at(gain, 0);
    int n = x.columns();
    forRows(
        x.rows(),
        n,
        (r) -> {
          int from = CpuMemory.at(x, r);
          int into = CpuMemory.at(out, r);
          float shift = centred ? RowMath.sum(in, from, n) / n : 0;
          float factor = factor(in, from, shift, n, eps);
          RowMath.normalise(o, into, in, from, shift, factor, g, gainAt, n);
          if (bias != null) {
            RowMath.add(o, into, CpuMemory.buffer(bias), CpuMemory.at(bias, 0), 1, n);
          }
        });
  }

  private static float factor(ByteBuffer x, int at, float shift, int n, double eps) {
    double mean = RowMath.squares(x, at, shift, n) / (double) n;
    return (float) (1 / Math.sqrt(mean + eps));
  }

  @Override
  public void rmsNormBackward(
      Tensor dx, @Nullable Tensor dGain, Tensor dOut, Tensor x, Tensor gain, double eps) {
    normBackward(dx, dGain, dOut, x, gain, eps, false);
  }

  @Override
  public void layerNormBackward(
      Tensor dx,
      @Nullable Tensor dGain,
      @Nullable Tensor dBias,
      Tensor dOut,
      Tensor x,
      Tensor gain,
      double eps) {
    normBackward(dx, dGain, dOut, x, gain, eps, true);
    if (dBias != null) {
      addColumnSums(dBias, dOut);
    }
  }

  private void normBackward(
      Tensor dx,
      @Nullable Tensor dGain,
      Tensor dOut,
      Tensor x,
      Tensor gain,
      double eps,
      boolean centred) {
    ByteBuffer into = CpuMemory.buffer(dx);
    ByteBuffer d = CpuMemory.buffer(dOut);
    ByteBuffer in = CpuMemory.buffer(x);
    ByteBuffer g = CpuMemory.buffer(gain);
    int gainAt = CpuMemory.at(gain, 0);
    int n = x.columns();
    float[] shifts = new float[x.rows()];
    float[] factors = new float[x.rows()];
    forRows(
        x.rows(),
        n,
        (r) -> {
          int from = CpuMemory.at(x, r);
          int dAt = CpuMemory.at(dOut, r);
          shifts[r] = centred ? RowMath.sum(in, from, n) / n : 0;
          factors[r] = factor(in, from, shifts[r], n, eps);
          float projection =
              RowMath.normProjection(d, dAt, in, from, shifts[r], factors[r], g, gainAt, n) / n;
          float mean = centred ? RowMath.dot(d, dAt, g, gainAt, n) / n : 0;
          RowMath.normBackward(
              into,
              CpuMemory.at(dx, r),
              d,
              dAt,
              in,
              from,
              shifts[r],
              factors[r],
              mean,
              projection,
              g,
              gainAt,
              n);
        });
    if (dGain == null) {
      return;
    }
    ByteBuffer dg = CpuMemory.buffer(dGain);
    workers.forRange(
        n,
        64,
        (begin, end) -> {
          for (int r = 0; r < x.rows(); r++) {
            RowMath.gainBackward(
                dg,
                CpuMemory.at(dGain, 0),
                d,
                CpuMemory.at(dOut, r),
                in,
                CpuMemory.at(x, r),
                shifts[r],
                factors[r],
                begin,
                end);
          }
        });
  }

  @Override
  public void rotate(Tensor x, Tensor cos, Tensor sin, boolean inverse) {
    ByteBuffer in = CpuMemory.buffer(x);
    ByteBuffer c = CpuMemory.buffer(cos);
    ByteBuffer s = CpuMemory.buffer(sin);
    int half = cos.columns();
    forRows(
        x.rows(),
        x.columns(),
        (r) -> {
          for (int head = 0; head < x.columns(); head += 2 * half) {
            RowMath.rotate(
                in,
                CpuMemory.at(x, r) + 4 * head,
                c,
                CpuMemory.at(cos, r),
                s,
                CpuMemory.at(sin, r),
                inverse ? -1 : 1,
                half);
          }
        });
  }

  @Override
  public void attention(
      Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionPlan plan) {
    attention.forward(out, logSumExp, q, k, v, plan);
  }

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
    attention.backward(dq, dk, dv, dOut, out, logSumExp, q, k, v, plan);
  }

  @Override
  public void gate(Tensor out, Tensor gateUp, Activation activation) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(gateUp);
    int n = out.columns();
    forRows(
        out.rows(),
        n,
        r -> {
          int into = CpuMemory.at(out, r);
          int from = CpuMemory.at(gateUp, r);
          if (activation == Activation.SILU) {
            RowMath.swiglu(o, into, in, from, n);
          } else {
            RowMath.gate(o, into, in, from, activation, n);
          }
        });
  }

  @Override
  public void gateBackward(Tensor gateUp, Tensor dOut, Activation activation) {
    ByteBuffer in = CpuMemory.buffer(gateUp);
    ByteBuffer d = CpuMemory.buffer(dOut);
    int n = dOut.columns();
    forRows(
        dOut.rows(),
        n,
        r -> {
          int at = CpuMemory.at(gateUp, r);
          int from = CpuMemory.at(dOut, r);
          if (activation == Activation.SILU) {
            RowMath.swigluBackward(in, at, d, from, n);
          } else {
            RowMath.gateBackward(in, at, d, from, activation, n);
          }
        });
  }

  @Override
  public void activate(Tensor out, Tensor x, Activation activation) {
    ByteBuffer o = CpuMemory.buffer(out);
    ByteBuffer in = CpuMemory.buffer(x);
    forRows(
        x.rows(),
        x.columns(),
        r ->
            RowMath.activate(
                o, CpuMemory.at(out, r), in, CpuMemory.at(x, r), activation, x.columns()));
  }

  @Override
  public void activateBackward(Tensor x, Tensor dOut, Activation activation) {
    ByteBuffer in = CpuMemory.buffer(x);
    ByteBuffer d = CpuMemory.buffer(dOut);
    forRows(
        x.rows(),
        x.columns(),
        r ->
            RowMath.activateBackward(
                in, CpuMemory.at(x, r), d, CpuMemory.at(dOut, r), activation, x.columns()));
  }

  @Override
  public void dropout(Tensor x, double probability, long[] rowKeys) {
    ByteBuffer in = CpuMemory.buffer(x);
    float keep = (float) (1 / (1 - probability));
    forRows(
        x.rows(),
        x.columns(),
        r -> {
          int at = CpuMemory.at(x, r);
          for (int i = 0; i < x.columns(); i++) {
            boolean kept = CounterRandom.uniform(rowKeys[r], i) >= probability;
            in.putFloat(at + 4 * i, kept ? in.getFloat(at + 4 * i) * keep : 0);
          }
        });
  }

  @Override
  public void logProbs(Tensor scores, Tensor logits, Ids ids) {
    int[] targets = HostIds.of(ids);
    ByteBuffer in = CpuMemory.buffer(logits);
    int n = logits.columns();
    forRows(
        logits.rows(),
        n,
        (r) -> {
          int at = CpuMemory.at(logits, r);
          float max = RowMath.max(in, at, n);
          double logSum = logSumExp(in, at, max, n);
          score(scores, r, in.getFloat(at + 4 * targets[r]), max, logSum);
          float entropy = RowMath.entropy(in, at, (float) logSum, n);
          CpuMemory.buffer(scores).putFloat(CpuMemory.at(scores, r) + 4, entropy);
        });
  }

  @Override
  public void logProbsBackward(Tensor scores, Tensor logits, Ids ids, double[] weights) {
    int[] targets = HostIds.of(ids);
    ByteBuffer in = CpuMemory.buffer(logits);
    int n = logits.columns();
    forRows(
        logits.rows(),
        n,
        (r) -> {
          int at = CpuMemory.at(logits, r);
          float max = RowMath.max(in, at, n);
          double logSum = logSumExp(in, at, max, n);
          int target = at + 4 * targets[r];
          score(scores, r, in.getFloat(target), max, logSum);
          float entropy = RowMath.softmaxGradient(in, at, (float) logSum, (float) -weights[r], n);
          CpuMemory.buffer(scores).putFloat(CpuMemory.at(scores, r) + 4, entropy);
          in.putFloat(target, in.getFloat(target) + (float) weights[r]);
        });
  }

  private static void score(Tensor scores, int row, float target, float max, double logSum) {
    ByteBuffer out = CpuMemory.buffer(scores);
    int at = CpuMemory.at(scores, row);
    out.putFloat(at, (float) (target - logSum));
    out.putFloat(at + 8, target >= max ? 1 : 0);
  }

  private static double logSumExp(ByteBuffer x, int at, float max, int n) {
    return max + Math.log(RowMath.sumOfExponentials(x, at, max, n));
  }

  @Override
  public void adamW(Tensor parameter, Tensor gradient, Tensor m, Tensor v, AdamWStep step) {
    ByteBuffer p = CpuMemory.buffer(parameter);
    ByteBuffer g = CpuMemory.buffer(gradient);
    ByteBuffer first = CpuMemory.buffer(m);
    ByteBuffer second = CpuMemory.buffer(v);
    forRuns(
        parameter,
        (r, from, n) ->
            RowMath.adamW(
                p,
                CpuMemory.at(parameter, 0) + 4 * from,
                g,
                CpuMemory.at(gradient, 0) + 4 * from,
                first,
                CpuMemory.at(m, 0) + 4 * from,
                second,
                CpuMemory.at(v, 0) + 4 * from,
                n,
                step));
  }

  /** What lies in the heap is copied out of it: a model's size must not follow the heap's. */
  @Override
  public Stored store(TensorType type, int rows, int columns, ByteBuffer bytes) {
    if (bytes.isDirect()) {
      return new StoredBytes(type, rows, columns, bytes, () -> {});
    }
    Pointer memory = Pointer.malloc(bytes.remaining());
    if (memory == null || memory.isNull()) {
      throw new OutOfMemoryError("No memory for a matrix of " + bytes.remaining() + " bytes");
    }
    ByteBuffer copy = new BytePointer(memory).capacity(bytes.remaining()).asByteBuffer();
    copy.put(bytes.duplicate()).flip();
    return new StoredBytes(type, rows, columns, copy, () -> Pointer.free(memory));
  }

  @Override
  public void widen(Tensor out, Stored weights, int firstRow) {
    StoredBytes stored = (StoredBytes) weights;
    ByteBuffer o = CpuMemory.buffer(out);
    forRows(
        out.rows(),
        out.columns(),
        r -> BlockRows.widen(stored, firstRow + r, o, CpuMemory.at(out, r)));
  }

  @Override
  public Packed pack(Tensor weights, boolean inputsFirst) {
    return projection.pack(weights, inputsFirst);
  }

  @Override
  public boolean packs(TensorType type) {
    return QuantisedPanels.supports(type);
  }

  @Override
  public Packed pack(TensorType type, int rows, int columns, ByteBuffer bytes) {
    return new QuantisedPanels(type, rows, columns, bytes);
  }

  @Override
  public Packed pack(Stored weights, boolean inputsFirst) {
    StoredBytes stored = (StoredBytes) weights;
    return packs(stored.type()) && !inputsFirst
        ? pack(stored.type(), stored.rows(), stored.columns(), stored.buffer())
        : Kernels.super.pack(weights, inputsFirst);
  }

  @Override
  public void project(Tensor out, Tensor x, Packed weights) {
    projection.project(out, x, weights);
  }

  @Override
  public void close() {
    workers.close();
  }
}
