package dev.distillery.training.evaluate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What several answers to one question are worth together. */
final class SampledAnswers {
  private SampledAnswers() {}

  /** The k of {@link #passAt} that are counted: powers of two from 2, and all samples. */
  static List<Integer> sizes(int samples) {
    List<Integer> sizes = new ArrayList<>();
    for (long k = 2; k < samples; k *= 2) {
      sizes.add((int) k);
    }
    sizes.add(samples);
    return sizes;
  }

  /**
   * The chance that one of k answers is right, estimated without bias from n &gt;= k of which c are
   * (Chen et al. 2021, section 2.1): 1 - C(n-c, k) / C(n, k), as a product that stays in range.
   */
  static double passAt(int n, int c, int k) {
    if (n - c < k) {
      return 1;
    }
    double none = 1;
    for (int i = n - c + 1; i <= n; i++) {
      none *= 1 - (double) k / i;
    }
    return 1 - none;
  }

  /**
   * The vote that most have given; of several such the one that was given first (Wang et al. 2022).
   *
   * @param votes in the order of the samples; one that is empty is none
   * @return the number of the first sample that voted so; empty where none voted
   */
  static Optional<Integer> majority(List<Optional<String>> votes) {
    Map<String, List<Integer>> voters = new LinkedHashMap<>();
    for (int i = 0; i < votes.size(); i++) {
      int sample = i;
      votes
          .get(i)
          .ifPresent(vote -> voters.computeIfAbsent(vote, first -> new ArrayList<>()).add(sample));
    }
    List<Integer> most = List.of();
    for (List<Integer> each : voters.values()) {
      most = each.size() > most.size() ? each : most;
    }
    return most.stream().findFirst();
  }
}
