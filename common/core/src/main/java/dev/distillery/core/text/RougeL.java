package dev.distillery.core.text;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * ROUGE-L of two token lists (Lin 2004), as the Python package {@code rouge_score} computes it.
 *
 * <p>With L the length of the longest common subsequence, m and n the numbers of tokens: P = L / n,
 * R = L / m, F = 2PR / (P + R). Mathematically F = 2L / (m + n), but the doubles differ: at exactly
 * 7/10 the expression gives 0.7000000000000001 for most (m, n), so a gate of {@code F > 0.7} drops
 * most of them. Every decision here is made on the same doubles, in the same order of operations.
 */
public final class RougeL {
  private RougeL() {}

  /** F of two token lists; 0 if either is empty. Symmetric. */
  public static double score(List<String> target, List<String> prediction) {
    Map<String, Integer> ids = new HashMap<>();
    return score(encode(target, ids), encode(prediction, ids));
  }

  /** F of two lists of tokens that are named by numbers; 0 if either is empty. Symmetric. */
  public static double score(int[] target, int[] prediction) {
    return fMeasure(
        new LcsPattern(target).lengthWith(prediction), target.length, prediction.length);
  }

  /**
   * F from the length of the longest common subsequence.
   *
   * @param lcs that length
   * @param target tokens of the target (m)
   * @param prediction tokens of the prediction (n)
   */
  public static double fMeasure(int lcs, int target, int prediction) {
    if (lcs == 0) {
      return 0;
    }
    double precision = lcs / (double) prediction;
    double recall = lcs / (double) target;
    return 2 * precision * recall / (precision + recall);
  }

  /**
   * A threshold slightly under the given one, for bounds in real arithmetic: whatever has F above
   * the threshold has 2L / (m + n) above this, whichever way the doubles of F were rounded.
   */
  static double floor(double threshold) {
    return threshold * (1 - 1e-12);
  }

  private static int[] encode(List<String> tokens, Map<String, Integer> ids) {
    int[] encoded = new int[tokens.size()];
    int i = 0;
    for (String token : tokens) {
      encoded[i++] = ids.computeIfAbsent(token, t -> ids.size());
    }
    return encoded;
  }
}
