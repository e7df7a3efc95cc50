package dev.distillery.core.rating;

import static java.util.Comparator.comparingLong;

import dev.distillery.core.random.CounterRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Pairwise votes of several raters on several items. The votes of one item go together, so what is
 * drawn again in a bootstrap is the item (Field and Welsh 2007, "cluster bootstrap"); where each
 * item has one vote this is {@link WinRate#bootstrapInterval}.
 *
 * @param items how many items have these votes
 */
public record ItemVotes(Map<WinRate, Long> items) {
  public ItemVotes {
    items = Map.copyOf(items);
  }

  /** All votes. */
  public WinRate total() {
    long wins = 0;
    long ties = 0;
    long losses = 0;
    for (var entry : items.entrySet()) {
      wins += entry.getKey().wins() * entry.getValue();
      ties += entry.getKey().ties() * entry.getValue();
      losses += entry.getKey().losses() * entry.getValue();
    }
    return new WinRate(wins, ties, losses);
  }

  /**
   * The bootstrap interval of {@link WinRate#adjustedRate()} over all votes: percentiles 2.5 and
   * 97.5, interpolated, of its values in sets of as many items, drawn with replacement. Draw i of
   * set b is a function of the seed, b and i. Costs items times {@code resamples} draws. Empty
   * where there is no vote.
   *
   * @param seed the run's
   * @param resamples 1 or more
   */
  public Optional<Interval> bootstrapInterval(long seed, int resamples) {
    if (resamples < 1) {
      throw new IllegalArgumentException("Resamples: expected 1 or more, found " + resamples + ".");
    }
    // Wins first, as in WinRate's own: the same draws give the same sets.
    List<WinRate> kinds =
        items.keySet().stream()
            .filter(votes -> votes.votes() > 0)
            .sorted(
                comparingLong((WinRate votes) -> -votes.wins())
                    .thenComparing(comparingLong(votes -> -votes.ties()))
                    .thenComparing(comparingLong(votes -> -votes.losses())))
            .toList();
    if (kinds.isEmpty()) {
      return Optional.empty();
    }
    double[] ends = new double[kinds.size()];
    double n = 0;
    for (int k = 0; k < ends.length; k++) {
      n += items.get(kinds.get(k));
      ends[k] = n;
    }
    double[] rates = new double[resamples];
    for (int b = 0; b < resamples; b++) {
      long set = CounterRandom.key(seed, b);
      long halves = 0;
      long votes = 0;
      for (long i = 0; i < n; i++) {
        int at = Arrays.binarySearch(ends, CounterRandom.uniformDouble(set, i) * n);
        WinRate drawn = kinds.get(at < 0 ? -at - 1 : at + 1);
        halves += 2 * drawn.wins() + drawn.ties();
        votes += drawn.votes();
      }
      rates[b] = halves / 2.0 / votes;
    }
    return Optional.of(WinRate.percentiles(rates));
  }
}
