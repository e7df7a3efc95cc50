package dev.distillery.model.sample;

import dev.distillery.core.random.CounterRandom;
import java.util.Arrays;

/** Chooses a token from a row of logits. Ties go to the lower id. */
final class TokenChooser {
  private static final int FIRST_NUCLEUS = 256;

  private final GenerationOptions options;
  private final long[] order;
  private final double[] weights;
  private double max;
  private double logProb;

  TokenChooser(GenerationOptions options, int vocabulary) {
    this.options = options;
    this.order = new long[vocabulary];
    this.weights = new double[vocabulary];
  }

  GenerationOptions options() {
    return options;
  }

  /**
   * The logarithm of the probability that the last chosen token had; not a number where the
   * distribution was cut, or nothing was drawn.
   */
  double logProb() {
    return logProb;
  }

  /**
   * The next token of a row.
   *
   * @param logits overwritten
   * @param seen tokens of the row so far, the prompt's among them
   * @param row the row's id, which with the seed and the position decides the draw
   * @param position index of the token in the reply
   */
  int choose(float[] logits, int[] seen, int seenCount, long row, int position) {
    for (int id : options.neverIds()) {
      logits[id] = Float.NEGATIVE_INFINITY;
    }
    penalise(logits, seen, seenCount);
    discourage(logits, seen, seenCount - position, seenCount);
    int best = mostLikely(logits);
    logProb = Double.NaN;
    if (options.temperature() == 0) {
      return best;
    }
    max = logits[best];
    double draw = CounterRandom.uniformDouble(CounterRandom.key(options.seed(), row), position);
    boolean all = options.topK() == 0 || options.topK() >= logits.length;
    if (all && options.topP() == 1) {
      return drawFromAll(logits, draw);
    }
    for (int i = 0; i < logits.length; i++) {
      order[i] = sortKey(logits[i], i);
    }
    if (!all) {
      return drawFromBest(logits, options.topK(), sum(logits, best(options.topK())), draw);
    }
    double total = sum(logits, logits.length);
    for (int count = FIRST_NUCLEUS; ; count *= 8) {
      int n = best(Math.min(count, logits.length));
      if (n == logits.length || sum(logits, n) >= options.topP() * total) {
        return drawFromBest(logits, n, total, draw);
      }
    }
  }

  /** Each seen token once, as transformers does. */
  private void penalise(float[] logits, int[] seen, int count) {
    if (options.repetitionPenalty() == 1) {
      return;
    }
    int[] distinct = Arrays.stream(seen, 0, count).distinct().toArray();
    for (int id : distinct) {
      double logit = logits[id];
      logits[id] =
          (float)
              (logit > 0
                  ? logit / options.repetitionPenalty()
                  : logit * options.repetitionPenalty());
    }
  }

  /** What the reply has said, as OpenAI's protocol has it: each time, and once for all. */
  private void discourage(float[] logits, int[] seen, int from, int to) {
    if (options.frequencyPenalty() == 0 && options.presencePenalty() == 0) {
      return;
    }
    for (int i = from; i < to; i++) {
      logits[seen[i]] -= (float) options.frequencyPenalty();
    }
    Arrays.stream(seen, from, to)
        .distinct()
        .forEach(id -> logits[id] -= (float) options.presencePenalty());
  }

  static int mostLikely(float[] logits) {
    int best = 0;
    for (int i = 1; i < logits.length; i++) {
      if (logits[i] > logits[best]) {
        best = i;
      }
    }
    return best;
  }

  private int drawFromAll(float[] logits, double draw) {
    double total = 0;
    for (int i = 0; i < logits.length; i++) {
      weights[i] = Math.exp((logits[i] - max) / options.temperature());
      total += weights[i];
    }
    double left = draw * total;
    int last = 0;
    for (int i = 0; i < logits.length; i++) {
      if (weights[i] > 0) {
        last = i;
        left -= weights[i];
        if (left < 0) {
          break;
        }
      }
    }
    logProb = Math.log(weights[last] / total);
    return last;
  }

  /**
   * The best {@code count} tokens stand first, in order, with the top-p rule applied among them.
   */
  private int drawFromBest(float[] logits, int count, double total, double draw) {
    double kept = 0;
    int n = 0;
    while (n < count && (n == 0 || kept < options.topP() * total)) {
      weights[n] = weight(logits, n);
      // The rest has no weight either: rounding must not let one of them be drawn.
      if (n > 0 && weights[n] == 0) {
        break;
      }
      kept += weights[n];
      n++;
    }
    double left = draw * kept;
    for (int i = 0; i < n; i++) {
      left -= weights[i];
      if (left < 0) {
        return id(order[i]);
      }
    }
    return id(order[n - 1]);
  }

  private double sum(float[] logits, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weight(logits, i);
    }
    return sum;
  }

  private double weight(float[] logits, int rank) {
    return Math.exp((logits[id(order[rank])] - max) / options.temperature());
  }

  /** Brings the {@code count} best keys to the front, sorted; returns the count. */
  private int best(int count) {
    int from = 0;
    int to = order.length - 1;
    while (from < to && count < order.length) {
      long pivot = order[(from + to) >>> 1];
      int i = from;
      int j = to;
      while (i <= j) {
        while (order[i] < pivot) {
          i++;
        }
        while (order[j] > pivot) {
          j--;
        }
        if (i <= j) {
          long swap = order[i];
          order[i++] = order[j];
          order[j--] = swap;
        }
      }
      if (count - 1 <= j) {
        to = j;
      } else if (count - 1 >= i) {
        from = i;
      } else {
        break;
      }
    }
    Arrays.sort(order, 0, count);
    return count;
  }

  /** Ascending order of keys is descending order of logits, then ascending order of ids. */
  private static long sortKey(float logit, int id) {
    int bits = Float.floatToIntBits(logit + 0f);
    int ascending = bits ^ ((bits >> 31) & 0x7fff_ffff);
    return ((long) ~ascending << 32) | id;
  }

  private static int id(long key) {
    return (int) key;
  }
}
