package dev.distillery.training.run;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.KeyValueCache;
import dev.distillery.model.nn.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The likeliest continuation of some prompts, token by token, by the weights as they are, adapters
 * among them. For a look at what a run has learned, not for many rows.
 */
final class GreedyAnswers {
  private GreedyAnswers() {}

  /**
   * The answers' tokens, without what ended them.
   *
   * @param prompts of at least one token each
   * @param most tokens of an answer
   * @param stops that end one
   */
  static List<int[]> of(Decoder decoder, List<int[]> prompts, int most, int[] stops) {
    int context = decoder.config().maxPositions();
    int longest = prompts.stream().mapToInt(prompt -> prompt.length).max().orElse(1);
    int[][] answers = new int[prompts.size()][0];
    try (KeyValueCache cache = decoder.cache(prompts.size(), Math.min(context, longest + most))) {
      int[] next = new int[prompts.size()];
      List<Integer> open = new ArrayList<>();
      for (int s = 0; s < next.length; s++) {
        Tensor hidden = decoder.extend(cache, new int[] {s}, new int[][] {prompts.get(s)}, null);
        next[s] = best(decoder, hidden.rows(hidden.rows() - 1, 1))[0];
        open.add(s);
      }
      for (int length = 0; length < most; length++) {
        open.removeIf(s -> Arrays.stream(stops).anyMatch(stop -> stop == next[s]));
        for (int s : open) {
          answers[s] = Arrays.copyOf(answers[s], length + 1);
          answers[s][length] = next[s];
        }
        open.removeIf(s -> cache.length(s) == cache.capacity());
        if (open.isEmpty() || length + 1 == most) {
          break;
        }
        int[] sequences = open.stream().mapToInt(Integer::intValue).toArray();
        int[][] tokens = open.stream().map(s -> new int[] {next[s]}).toArray(int[][]::new);
        int[] chosen = best(decoder, decoder.extend(cache, sequences, tokens, null));
        for (int i = 0; i < sequences.length; i++) {
          next[sequences[i]] = chosen[i];
        }
      }
    }
    return List.of(answers);
  }

  /** The likeliest token of each row; of equal ones the lowest. */
  private static int[] best(Decoder decoder, Tensor hidden) {
    int vocabulary = decoder.config().vocabSize();
    Tensor logits = decoder.kernels().tensor(hidden.rows(), vocabulary);
    try {
      decoder.logits(logits, hidden);
      float[] values = logits.toArray();
      int[] best = new int[hidden.rows()];
      for (int r = 0; r < best.length; r++) {
        for (int t = 1; t < vocabulary; t++) {
          best[r] = values[r * vocabulary + t] > values[r * vocabulary + best[r]] ? t : best[r];
        }
      }
      return best;
    } finally {
      logits.memory().close();
    }
  }
}
