package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * BLEU of a set of answers (Papineni et al. 2002) as sacrebleu counts it by default: tokens of
 * mteval-v13a, case kept, four orders, exponential smoothing. An answer's counts are summed, so the
 * figure does not depend on their order.
 */
public final class Bleu {
  /** Longest n-grams. */
  public static final int ORDERS = 4;

  private static final Pattern MARKS = Pattern.compile("([{-~\\[-` -&(-+:-@/])");
  private static final Pattern POINT_AFTER = Pattern.compile("([^0-9])([.,])");
  private static final Pattern POINT_BEFORE = Pattern.compile("([.,])([^0-9])");
  private static final Pattern SPACE = Pattern.compile("\\s+", Pattern.UNICODE_CHARACTER_CLASS);
  private static final Pattern DASH = Pattern.compile("([0-9])(-)");

  private Bleu() {}

  /**
   * What an answer adds to the set's.
   *
   * @param correct n-grams that a reference has too, by order
   * @param total n-grams of the answer
   * @param length tokens of the answer
   * @param reference tokens of the reference that is nearest in length
   */
  public record Counts(List<Long> correct, List<Long> total, long length, long reference) {
    public Counts {
      correct = List.copyOf(correct);
      total = List.copyOf(total);
    }
  }

  /** Counts of one answer beside those that are right. */
  public static Counts counts(String answer, List<String> references) {
    List<String> tokens = tokens(answer);
    List<List<String>> wanted = references.stream().map(Bleu::tokens).toList();
    List<Long> correct = new ArrayList<>();
    List<Long> total = new ArrayList<>();
    for (int order = 1; order <= ORDERS; order++) {
      Map<List<String>, Integer> most = new HashMap<>();
      for (List<String> reference : wanted) {
        grams(reference, order).forEach((gram, count) -> most.merge(gram, count, Integer::max));
      }
      long hits = 0;
      for (var gram : grams(tokens, order).entrySet()) {
        hits += Math.min(gram.getValue(), most.getOrDefault(gram.getKey(), 0));
      }
      correct.add(hits);
      total.add((long) Math.max(0, tokens.size() - order + 1));
    }
    return new Counts(correct, total, tokens.size(), nearest(tokens.size(), wanted));
  }

  private static long nearest(int length, List<List<String>> references) {
    int best = -1;
    for (List<String> reference : references) {
      int distance = Math.abs(reference.size() - length);
      boolean nearer = best < 0 || distance < Math.abs(best - length);
      boolean shorter = distance == Math.abs(best - length) && reference.size() < best;
      best = nearer || shorter ? reference.size() : best;
    }
    return Math.max(0, best);
  }

  private static Map<List<String>, Integer> grams(List<String> tokens, int order) {
    Map<List<String>, Integer> grams = new HashMap<>();
    for (int i = 0; i + order <= tokens.size(); i++) {
      grams.merge(tokens.subList(i, i + order), 1, Integer::sum);
    }
    return grams;
  }

  /** The score of a set, 0 to 100. */
  public static double score(Counts sums) {
    if (sums.length() == 0 || sums.correct().stream().allMatch(count -> count == 0)) {
      return 0;
    }
    double smooth = 1;
    double logs = 0;
    for (int i = 0; i < ORDERS; i++) {
      if (sums.total().get(i) == 0) {
        return 0;
      }
      double hits = sums.correct().get(i);
      if (hits == 0) {
        smooth *= 2;
        hits = 1 / smooth;
      }
      logs += Math.log(hits / sums.total().get(i));
    }
    double brevity =
        sums.length() < sums.reference()
            ? Math.exp(1 - (double) sums.reference() / sums.length())
            : 1;
    return 100 * brevity * Math.exp(logs / ORDERS);
  }

  private static List<String> tokens(String text) {
    String line =
        text.replace("<skipped>", "")
            .replace("-\n", "")
            .replace("\n", " ")
            .replace("&quot;", "\"")
            .replace("&amp;", "&")
            .replace("&lt;", "<")
            .replace("&gt;", ">");
    line = MARKS.matcher(" " + line + " ").replaceAll(" $1 ");
    line = POINT_AFTER.matcher(line).replaceAll("$1 $2 ");
    line = POINT_BEFORE.matcher(line).replaceAll(" $1 $2");
    line = DASH.matcher(line).replaceAll("$1 $2 ");
    return Stream.of(SPACE.split(line, -1)).filter(token -> !token.isEmpty()).toList();
  }
}
