package dev.distillery.model.format;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Ranks and alphas of single modules, as PEFT's {@code rank_pattern} and {@code alpha_pattern} have
 * them: by a regular expression that a module's name ends in, whole parts of it; the first that
 * matches counts.
 *
 * @param ranks by pattern, in the file's order
 * @param alphas by pattern, in the file's order
 */
public record AdapterPatterns(Map<String, Integer> ranks, Map<String, Double> alphas) {
  /** One rank and one alpha for all. */
  public static final AdapterPatterns NONE = new AdapterPatterns(Map.of(), Map.of());

  /**
   * @throws IllegalArgumentException where a pattern is not read, or a rank is no rank
   */
  public AdapterPatterns {
    ranks = Collections.unmodifiableMap(new LinkedHashMap<>(ranks));
    alphas = Collections.unmodifiableMap(new LinkedHashMap<>(alphas));
    ranks.forEach((pattern, rank) -> AdapterConfig.check(rank, 1));
    alphas.forEach((pattern, alpha) -> AdapterConfig.check(1, alpha));
    ranks.keySet().forEach(AdapterPatterns::compiled);
    alphas.keySet().forEach(AdapterPatterns::compiled);
  }

  /** Whether all modules have one rank and one alpha. */
  public boolean isEmpty() {
    return ranks.isEmpty() && alphas.isEmpty();
  }

  int rank(String module, int usual) {
    return first(ranks, module, usual);
  }

  double alpha(String module, double usual) {
    return first(alphas, module, usual);
  }

  private static <T> T first(Map<String, T> patterns, String module, T usual) {
    for (Map.Entry<String, T> entry : patterns.entrySet()) {
      if (compiled(entry.getKey()).begins(module)) {
        return entry.getValue();
      }
    }
    return usual;
  }

  private static PythonPattern compiled(String pattern) {
    return PythonPattern.of("(.*\\.)?(" + pattern + ")$");
  }
}
