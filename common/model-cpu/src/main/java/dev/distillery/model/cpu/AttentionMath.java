package dev.distillery.model.cpu;

import dev.distillery.model.nn.AttentionPlan;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Attention in blocks of queries: scores of a block against all keys it sees, softmax, product with
 * the values. Scores never exist for more than a block of one head per thread, and the backward
 * pass computes them again from the saved log-sum-exp (as FlashAttention does, Dao et al. 2022).
 */
final class AttentionMath {
  private static final int QUERY_BLOCK = 128;

  /** Fewer queries than this are computed without matrix products, each by itself. */
  private static final int FEW = 8;

  private final Workers workers;
  private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);

  AttentionMath(Workers workers) {
    this.workers = workers;
  }

  /**
   * Scores and their gradients of one thread, grown as sequences need. Their rows are whole vectors
   * long, so that the loops over them never stop in the middle of one.
   */
  private static final class Scratch {
    private @Nullable CpuMemory memory;

    Tensor scores(int index, int rows, int columns) {
      int stride = Lanes.whole(columns);
      long each = (long) QUERY_BLOCK * stride;
      CpuMemory held = memory;
      if (held == null || held.size() < 2 * each) {
        if (held != null) {
          held.close();
        }
        held = new CpuMemory(2 * each);
        memory = held;
      }
      return new Tensor(held, index * each, rows, columns, stride);
    }
  }

  /** One head's view of the queries or keys of a sequence. */
  private record Heads(AttentionPlan plan) {
    Tensor query(Tensor x, int sequence, int head, int from, int count) {
      return x.rows(plan.queryStarts()[sequence] + from, count)
          .columns(head * plan.headDim(), plan.headDim());
    }

    Tensor key(Tensor x, int sequence, int kvHead, int from, int count) {
      return x.rows(plan.keyStarts()[sequence] + from, count)
          .columns(kvHead * plan.headDim(), plan.headDim());
    }
  }

  void forward(Tensor out, Tensor logSumExp, Tensor q, Tensor k, Tensor v, AttentionPlan plan) {
    workers.forTasks(
        plan.sequences() * plan.heads(),
        task -> {
          int sequence = task / plan.heads();
          int head = task % plan.heads();
          if (plan.queryCounts()[sequence] < FEW) {
            for (int i = 0; i < plan.queryCounts()[sequence]; i++) {
              single(out, logSumExp, q, k, v, plan, sequence, head, i);
            }
          } else {
            for (int i = 0; i < plan.queryCounts()[sequence]; i += QUERY_BLOCK) {
              block(out, logSumExp, q, k, v, plan, sequence, head, i);
            }
          }
        });
  }

  private void single(
      Tensor out,
      Tensor logSumExp,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionPlan plan,
      int sequence,
      int head,
      int query) {
    Heads heads = new Heads(plan);
    Scratch own = scratch.get();
    int dim = plan.headDim();
    int position = plan.keyCounts()[sequence] - plan.queryCounts()[sequence] + query;
    int first = plan.firstKey(position);
    int seen = position + 1 - first;
    Tensor queries = heads.query(q, sequence, head, query, 1);
    Tensor keys = heads.key(k, sequence, head / plan.group(), first, seen);
    Tensor values = heads.key(v, sequence, head / plan.group(), first, seen);
    Tensor weights = own.scores(0, 1, seen);
    ByteBuffer qs = CpuMemory.buffer(queries);
    ByteBuffer ks = CpuMemory.buffer(keys);
    ByteBuffer vs = CpuMemory.buffer(values);
    ByteBuffer ws = CpuMemory.buffer(weights);
    int at = CpuMemory.at(weights, 0);
    int from = CpuMemory.at(queries, 0);
    RowMath.dots(ws, at, qs, from, ks, CpuMemory.at(keys, 0), keys.stride(), seen, dim);
    float logSum = RowMath.softmax(ws, at, (float) plan.scale(), 0, seen, Lanes.whole(seen));
    Tensor result = heads.query(out, sequence, head, query, 1);
    ByteBuffer os = CpuMemory.buffer(result);
    int into = CpuMemory.at(result, 0);
    RowMath.weightedSum(os, into, vs, CpuMemory.at(values, 0), values.stride(), ws, at, seen, dim);
    int row = CpuMemory.at(logSumExp, plan.queryStarts()[sequence] + query) + 4 * head;
    CpuMemory.buffer(logSumExp).putFloat(row, logSum);
  }

  private void block(
      Tensor out,
      Tensor logSumExp,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionPlan plan,
      int sequence,
      int head,
      int from) {
    Heads heads = new Heads(plan);
    Scratch own = scratch.get();
    int count = Math.min(QUERY_BLOCK, plan.queryCounts()[sequence] - from);
    int hidden = plan.keyCounts()[sequence] - plan.queryCounts()[sequence];
    int first = plan.firstKey(hidden + from);
    int seen = hidden + from + count - first;
    float scale = (float) plan.scale();
    Tensor keys = heads.key(k, sequence, head / plan.group(), first, seen);
    Tensor weights = own.scores(0, count, seen);
    product(weights, heads.query(q, sequence, head, from, count), false, keys, true, 1, 0);
    ByteBuffer ws = CpuMemory.buffer(weights);
    ByteBuffer stats = CpuMemory.buffer(logSumExp);
    for (int i = 0; i < count; i++) {
      int key = hidden + from + i;
      int hides = plan.firstKey(key) - first;
      int at = CpuMemory.at(weights, i);
      float logSum = RowMath.softmax(ws, at, scale, hides, key + 1 - first, weights.stride());
      int row = CpuMemory.at(logSumExp, plan.queryStarts()[sequence] + from + i) + 4 * head;
      stats.putFloat(row, logSum);
    }
    Tensor values = heads.key(v, sequence, head / plan.group(), first, seen);
    product(heads.query(out, sequence, head, from, count), weights, false, values, false, 1, 0);
  }

  /** One task owns a key head of a sequence, so that its sums have one order. */
  void backward(
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
    Heads heads = new Heads(plan);
    workers.forTasks(
        plan.sequences() * plan.kvHeads(),
        task -> {
          int sequence = task / plan.kvHeads();
          int kvHead = task % plan.kvHeads();
          int keys = plan.keyCounts()[sequence];
          zero(heads.key(dk, sequence, kvHead, 0, keys));
          zero(heads.key(dv, sequence, kvHead, 0, keys));
          for (int h = kvHead * plan.group(); h < (kvHead + 1) * plan.group(); h++) {
            for (int i = 0; i < plan.queryCounts()[sequence]; i += QUERY_BLOCK) {
              blockBackward(dq, dk, dv, dOut, out, logSumExp, q, k, v, plan, sequence, h, i);
            }
          }
        });
  }

  /** With P the weights and D = rowsum(dOut out): dV += P^T dOut, dS = P (dOut V^T - D). */
  private void blockBackward(
      Tensor dq,
      Tensor dk,
      Tensor dv,
      Tensor dOut,
      Tensor out,
      Tensor logSumExp,
      Tensor q,
      Tensor k,
      Tensor v,
      AttentionPlan plan,
      int sequence,
      int head,
      int from) {
    Heads heads = new Heads(plan);
    Scratch own = scratch.get();
    int kvHead = head / plan.group();
    int count = Math.min(QUERY_BLOCK, plan.queryCounts()[sequence] - from);
    int first = plan.firstKey(from);
    int seen = from + count - first;
    float scale = (float) plan.scale();
    Tensor queries = heads.query(q, sequence, head, from, count);
    Tensor keys = heads.key(k, sequence, kvHead, first, seen);
    Tensor gradient = heads.query(dOut, sequence, head, from, count);
    Tensor weights = own.scores(0, count, seen);
    product(weights, queries, false, keys, true, 1, 0);
    ByteBuffer ws = CpuMemory.buffer(weights);
    ByteBuffer stats = CpuMemory.buffer(logSumExp);
    for (int i = 0; i < count; i++) {
      int at = CpuMemory.at(weights, i);
      int n = from + i + 1 - first;
      int row = CpuMemory.at(logSumExp, plan.queryStarts()[sequence] + from + i) + 4 * head;
      RowMath.exponentials(ws, at, scale, stats.getFloat(row), Lanes.whole(n));
      RowMath.hide(ws, at, 0, plan.firstKey(from + i) - first);
      RowMath.clear(ws, at, n, weights.stride());
    }
    product(heads.key(dv, sequence, kvHead, first, seen), weights, true, gradient, false, 1, 1);
    Tensor dScores = own.scores(1, count, seen);
    product(dScores, gradient, false, heads.key(v, sequence, kvHead, first, seen), true, 1, 0);
    ByteBuffer ds = CpuMemory.buffer(dScores);
    Tensor result = heads.query(out, sequence, head, from, count);
    ByteBuffer gs = CpuMemory.buffer(gradient);
    ByteBuffer os = CpuMemory.buffer(result);
    for (int i = 0; i < count; i++) {
      float d =
          RowMath.dot(gs, CpuMemory.at(gradient, i), os, CpuMemory.at(result, i), plan.headDim());
      RowMath.scoreGradient(
          ds, CpuMemory.at(dScores, i), ws, CpuMemory.at(weights, i), d, scale, weights.stride());
    }
    product(heads.query(dq, sequence, head, from, count), dScores, false, keys, false, 1, 0);
    product(heads.key(dk, sequence, kvHead, first, seen), dScores, true, queries, false, 1, 1);
  }

  private static void zero(Tensor x) {
    for (int r = 0; r < x.rows(); r++) {
      RowMath.fill(CpuMemory.buffer(x), CpuMemory.at(x, r), 0, x.columns());
    }
  }

  private static void product(
      Tensor out, Tensor a, boolean ta, Tensor b, boolean tb, float alpha, float beta) {
    Blas.sgemm(
        ta,
        tb,
        out.rows(),
        out.columns(),
        ta ? a.rows() : a.columns(),
        alpha,
        CpuMemory.address(a),
        a.stride(),
        CpuMemory.address(b),
        b.stride(),
        beta,
        CpuMemory.address(out),
        out.stride());
  }
}
