package dev.distillery.jobs.rate;

import dev.distillery.core.random.CounterRandom;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * Who rates what next: decisions alone, no thread, disk or network. Each item goes to so many
 * raters, those with the fewest first; items that test attention go to every rater. An item that is
 * out with a rater counts as rated until its lease ends. Not for several threads at once.
 */
final class Assignments {
  /** An item that a rater has looked at for so long goes to another one too. */
  static final long LEASE_MILLIS = 30 * 60_000L;

  private final List<RatingItem> items;
  private final int ratingsPerItem;
  private final LongSupplier millis;
  private final Map<String, Set<String>> votes = new HashMap<>(); // item -> raters
  private final Map<String, Map<String, Long>> out = new HashMap<>(); // item -> rater -> until
  private final Map<String, String> current = new HashMap<>(); // rater -> item
  private long open;

  Assignments(List<RatingItem> items, int ratingsPerItem, LongSupplier millis) {
    this.items = List.copyOf(items);
    this.ratingsPerItem = ratingsPerItem;
    this.millis = millis;
    for (RatingItem item : items) {
      votes.put(item.id(), new HashSet<>());
      out.put(item.id(), new HashMap<>());
      open += item.expected() == null ? 1 : 0;
    }
  }

  /**
   * What a rater is shown.
   *
   * @param item empty where nothing is left
   * @param done items that the rater has rated
   * @param total these and what the rater may still get
   * @param waiting whether what is left is all out with others, and may come back
   */
  record Next(Optional<RatingItem> item, int done, int total, boolean waiting) {}

  /** What a rater is shown next: what is out with the rater, else another. */
  Next next(String rater) {
    long now = millis.getAsLong();
    int done = 0;
    int left = 0;
    boolean outWithOthers = false;
    RatingItem best = null;
    long bestLoad = Long.MAX_VALUE;
    long bestDraw = 0;
    long fewest = fewest(rater, now);
    for (RatingItem item : items) {
      if (rated(item, rater)) {
        done++;
        continue;
      }
      boolean test = item.expected() != null;
      long load = load(item, rater, now);
      if (!test && load >= ratingsPerItem) {
        outWithOthers |= votes(item).size() < ratingsPerItem;
        continue;
      }
      left++;
      load = item.id().equals(current.get(rater)) ? -1 : test ? fewest : load;
      long draw = CounterRandom.key(rater.hashCode(), item.id().hashCode());
      if (load < bestLoad || (load == bestLoad && draw < bestDraw)) {
        best = item;
        bestLoad = load;
        bestDraw = draw;
      }
    }
    if (best != null) {
      String before = current.put(rater, best.id());
      if (before != null) {
        Objects.requireNonNull(out.get(before)).remove(rater);
      }
      Objects.requireNonNull(out.get(best.id())).put(rater, now + LEASE_MILLIS);
    }
    return new Next(Optional.ofNullable(best), done, done + left, best == null && outWithOthers);
  }

  private boolean rated(RatingItem item, String rater) {
    return votes(item).contains(rater);
  }

  private Set<String> votes(RatingItem item) {
    return Objects.requireNonNull(votes.get(item.id()));
  }

  /** Ratings that the item has, or will have from others. */
  private long load(RatingItem item, String rater, long now) {
    Map<String, Long> leases = Objects.requireNonNull(out.get(item.id()));
    leases.values().removeIf(until -> until <= now);
    return votes(item).size()
        + leases.keySet().stream().filter(other -> !other.equals(rater)).count();
  }

  private long fewest(String rater, long now) {
    return items.stream()
        .filter(item -> item.expected() == null && !rated(item, rater))
        .mapToLong(item -> load(item, rater, now))
        .min()
        .orElse(0);
  }

  /** A rater has rated an item, perhaps again. */
  void voted(String item, String rater) {
    Set<String> raters = Objects.requireNonNull(votes.get(item));
    boolean more = raters.add(rater);
    Objects.requireNonNull(out.get(item)).remove(rater);
    if (item.equals(current.get(rater))) {
      current.remove(rater);
    }
    if (more && raters.size() == ratingsPerItem && !isTest(item)) {
      open--;
    }
  }

  private boolean isTest(String id) {
    return items.stream().anyMatch(item -> item.id().equals(id) && item.expected() != null);
  }

  /** Items that have not as many ratings as they are to get. */
  long open() {
    return open;
  }
}
