package dev.distillery.jobs.dedup;

import java.io.Serializable;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import scala.Tuple2;

/**
 * The greedy choice over the graph of similar lists, in one pass: lists come in their order with
 * their earlier neighbours, and a list is excluded by the first of these that is kept. A list
 * without earlier neighbours is kept and need not come at all. It remembers one or two bits for a
 * list that is not kept, and nothing else.
 *
 * <p>Where the neighbours were {@link Neighbours#cut} and all of them turn out to be excluded, the
 * list stays open, and so does what depends on it; {@link Decision#exclusion} is empty then.
 */
final class GreedyChoice implements Iterator<GreedyChoice.Decision> {
  /** An excluded list, or an open one. */
  record Decision(long ordinal, @Nullable Exclusion excluded) implements Serializable {
    Optional<Exclusion> exclusion() {
      return Optional.ofNullable(excluded);
    }
  }

  private final Iterator<Tuple2<Long, Neighbours>> lists;
  private final long pinned;
  private final int limit;
  private final Bits excluded = new Bits();
  private final Bits open = new Bits();
  private @Nullable Tuple2<Long, Neighbours> ahead;
  private @Nullable Decision next;

  /**
   * @param lists ascending; a list may come several times, as parts of the index found it
   * @param pinned lists before this place are kept whatever they are similar to
   * @param limit how many neighbours a part looked for
   */
  GreedyChoice(Iterator<Tuple2<Long, Neighbours>> lists, long pinned, int limit) {
    this.lists = lists;
    this.pinned = pinned;
    this.limit = limit;
    ahead = lists.hasNext() ? lists.next() : null;
    next = decideNext();
  }

  @Override
  public boolean hasNext() {
    return next != null;
  }

  @Override
  public Decision next() {
    Decision decision = next;
    if (decision == null) {
      throw new NoSuchElementException();
    }
    next = decideNext();
    return decision;
  }

  private @Nullable Decision decideNext() {
    while (ahead != null) {
      long ordinal = ahead._1();
      Neighbours neighbours = ahead._2();
      ahead = lists.hasNext() ? lists.next() : null;
      while (ahead != null && ahead._1() == ordinal) {
        neighbours = neighbours.merge(ahead._2(), limit);
        ahead = lists.hasNext() ? lists.next() : null;
      }
      Decision decision = decide(ordinal, neighbours);
      if (decision != null) {
        return decision;
      }
    }
    return null;
  }

  /** The decision on a list, or null where it is kept. */
  private @Nullable Decision decide(long ordinal, Neighbours neighbours) {
    for (int i = 0; i < neighbours.ordinals().length; i++) {
      long neighbour = neighbours.ordinals()[i];
      if (open.get(neighbour)) {
        open.set(ordinal);
        return new Decision(ordinal, null);
      }
      if (!excluded.get(neighbour)) {
        if (ordinal >= pinned) {
          excluded.set(ordinal);
        }
        return new Decision(ordinal, new Exclusion(ordinal, neighbour, neighbours.scores()[i]));
      }
    }
    if (neighbours.cut()) {
      open.set(ordinal);
      return new Decision(ordinal, null);
    }
    return null;
  }

  /** A set of long numbers, in blocks of bits. */
  private static final class Bits {
    private static final int BLOCK_BITS = 24;

    private final Map<Integer, BitSet> blocks = new HashMap<>();

    boolean get(long number) {
      BitSet block = blocks.get((int) (number >>> BLOCK_BITS));
      return block != null && block.get((int) number & ((1 << BLOCK_BITS) - 1));
    }

    void set(long number) {
      blocks
          .computeIfAbsent((int) (number >>> BLOCK_BITS), key -> new BitSet())
          .set((int) number & ((1 << BLOCK_BITS) - 1));
    }
  }
}
