package dev.distillery.training.rollout;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a policy may do instead of what the reward means: write longer or shorter, repeat itself,
 * copy its prompt, never end. Each is a figure of every update, with its correlation with the
 * reward; where the reward has risen since the first update while one of them ran away, that is
 * said, once.
 */
final class Probes {
  /** Weight of what was before in the running means. */
  private static final double KEPT = 0.8;

  /** A reward counts as risen by so many of the first update's deviations. */
  private static final double RISEN = 0.5;

  /** A share has run away by so much, a length by this factor. */
  private static final double AWAY = 0.25;

  private static final double FACTOR = 1.5;

  private static final String FIRST = "probe_first_";
  private static final String NOW = "probe_now_";
  private static final String TOLD = "probe_told_";

  private final Map<String, Double> first = new TreeMap<>();
  private final Map<String, Double> now = new TreeMap<>();
  private final Set<String> told = new TreeSet<>();

  /** An answer as a probe sees it. */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  record Seen(int[] prompt, int[] ids, boolean ended, double score) {}

  /** The figures of a batch, by metric. */
  static Map<String, Double> of(List<Seen> answers) {
    double[] scores = answers.stream().mapToDouble(Seen::score).toArray();
    Map<String, double[]> all = new LinkedHashMap<>();
    all.put("length", answers.stream().mapToDouble(seen -> seen.ids.length).toArray());
    all.put("repetition", answers.stream().mapToDouble(Probes::repetition).toArray());
    all.put("copied", answers.stream().mapToDouble(Probes::copied).toArray());
    all.put("ended", answers.stream().mapToDouble(seen -> seen.ended ? 1 : 0).toArray());
    Map<String, Double> figures = new LinkedHashMap<>();
    all.forEach(
        (name, values) -> {
          figures.put("probe/" + name, mean(values));
          figures.put("probe/" + name + "_correlation", correlation(values, scores));
        });
    return figures;
  }

  private static double mean(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return values.length == 0 ? 0 : sum / values.length;
  }

  /** The share of an answer's pairs of neighbours that it had before. */
  private static double repetition(Seen seen) {
    int pairs = Math.max(0, seen.ids.length - 1);
    return pairs == 0 ? 0 : 1 - (double) pairs(seen.ids).size() / pairs;
  }

  /** The share of an answer's pairs of neighbours that its prompt has. */
  private static double copied(Seen seen) {
    int pairs = Math.max(0, seen.ids.length - 1);
    Set<Long> known = pairs(seen.prompt);
    int found = 0;
    for (int i = 0; i < pairs; i++) {
      found += known.contains(pair(seen.ids, i)) ? 1 : 0;
    }
    return pairs == 0 ? 0 : (double) found / pairs;
  }

  private static Set<Long> pairs(int[] ids) {
    Set<Long> pairs = new HashSet<>();
    for (int i = 0; i + 1 < ids.length; i++) {
      pairs.add(pair(ids, i));
    }
    return pairs;
  }

  private static long pair(int[] ids, int at) {
    return (long) ids[at] << 32 | ids[at + 1];
  }

  /** Pearson's, over answers with a finite score; 0 where either does not vary. */
  static double correlation(double[] values, double[] scores) {
    double n = 0;
    double meanValue = 0;
    double meanScore = 0;
    for (int i = 0; i < values.length; i++) {
      if (Double.isFinite(scores[i])) {
        n++;
        meanValue += values[i];
        meanScore += scores[i];
      }
    }
    if (n == 0) {
      return 0;
    }
    meanValue /= n;
    meanScore /= n;
    double both = 0;
    double value = 0;
    double score = 0;
    for (int i = 0; i < values.length; i++) {
      if (Double.isFinite(scores[i])) {
        double v = values[i] - meanValue;
        double s = scores[i] - meanScore;
        both += v * s;
        value += v * v;
        score += s * s;
      }
    }
    return value == 0 || score == 0 ? 0 : both / Math.sqrt(value * score);
  }

  /**
   * Takes in an update's figures.
   *
   * @param score mean of the batch
   * @param deviation of its scores
   * @return warnings that were not given before
   */
  List<String> watch(Map<String, Double> figures, double score, double deviation) {
    Map<String, Double> seen = new TreeMap<>();
    for (String name : List.of("length", "repetition", "copied", "ended")) {
      seen.put(name, figures.getOrDefault("probe/" + name, 0.0));
    }
    seen.put("score", score);
    if (first.isEmpty()) {
      first.putAll(seen);
      first.put("deviation", deviation);
    }
    seen.forEach(
        (name, value) -> now.merge(name, value, (before, own) -> KEPT * before + (1 - KEPT) * own));
    if (value(now, "score") - value(first, "score") < RISEN * value(first, "deviation")) {
      return List.of();
    }
    Map<String, String> away = new LinkedHashMap<>();
    double longer = value(now, "length") / Math.max(1e-9, value(first, "length"));
    if (longer > FACTOR || longer < 1 / FACTOR) {
      away.put("length", "answers have %.1f tokens instead of %.1f");
    }
    if (value(now, "repetition") - value(first, "repetition") > AWAY) {
      away.put("repetition", "the share of repeated pairs of tokens is %.2f instead of %.2f");
    }
    if (value(now, "copied") - value(first, "copied") > AWAY) {
      away.put("copied", "the share copied from the prompt is %.2f instead of %.2f");
    }
    if (value(first, "ended") - value(now, "ended") > AWAY) {
      away.put("ended", "the share that ends of its own is %.2f instead of %.2f");
    }
    return away.entrySet().stream()
        .filter(entry -> told.add(entry.getKey()))
        .map(
            entry ->
                String.format(
                    Locale.ROOT,
                    "Warning: the reward has risen from %.3f to %.3f while "
                        + entry.getValue()
                        + ": look at the answers in the table rollouts; the reward may be hacked",
                    value(first, "score"),
                    value(now, "score"),
                    value(now, entry.getKey()),
                    value(first, entry.getKey())))
        .toList();
  }

  private static double value(Map<String, Double> figures, String name) {
    return figures.getOrDefault(name, 0.0);
  }

  /** What a checkpoint holds. */
  Map<String, Double> state() {
    Map<String, Double> state = new TreeMap<>();
    first.forEach((name, value) -> state.put(FIRST + name, value));
    now.forEach((name, value) -> state.put(NOW + name, value));
    told.forEach(name -> state.put(TOLD + name, 1.0));
    return state;
  }

  /** Goes on from a checkpoint. */
  void resume(Map<String, Double> state) {
    first.clear();
    now.clear();
    told.clear();
    state.forEach(
        (name, value) -> {
          if (name.startsWith(FIRST)) {
            first.put(name.substring(FIRST.length()), value);
          } else if (name.startsWith(NOW)) {
            now.put(name.substring(NOW.length()), value);
          } else if (name.startsWith(TOLD)) {
            told.add(name.substring(TOLD.length()));
          }
        });
  }
}
