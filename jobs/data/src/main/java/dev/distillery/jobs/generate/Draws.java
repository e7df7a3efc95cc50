package dev.distillery.jobs.generate;

import dev.distillery.core.random.CounterRandom;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What one slot of one round draws. The same seed, round and slot always draw the same, whatever
 * else is drawn elsewhere.
 */
final class Draws {
  private final SplittableRandom random;

  Draws(long seed, int round, int slot) {
    random =
        new SplittableRandom(
            CounterRandom.mix(CounterRandom.mix(CounterRandom.mix(seed) + round) + slot));
  }

  /**
   * {@code count} different numbers below {@code bound}, in the order drawn; all of them where
   * there are fewer.
   */
  List<Integer> sample(int bound, int count) {
    // A Fisher-Yates shuffle that holds only the places it has touched.
    Map<Integer, Integer> moved = new HashMap<>();
    int drawn = Math.min(bound, count);
    List<Integer> result = new ArrayList<>(drawn);
    for (int i = 0; i < drawn; i++) {
      int j = random.nextInt(i, bound);
      result.add(moved.getOrDefault(j, j));
      moved.put(j, moved.getOrDefault(i, i));
    }
    return result;
  }

  /** The same elements in a drawn order. */
  <T> List<T> shuffled(List<T> elements) {
    return sample(elements.size(), elements.size()).stream().map(elements::get).toList();
  }

  /** A seed for the teacher's own draw; 31 bits, which every server takes. */
  long samplingSeed() {
    return random.nextInt(Integer.MAX_VALUE);
  }
}
