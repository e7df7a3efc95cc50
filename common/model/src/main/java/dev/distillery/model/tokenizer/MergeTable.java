package dev.distillery.model.tokenizer;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which neighbouring symbols merge into which, and how early: a hash table from pairs of ids, and
 * the merging itself. The lowest rank goes first, the leftmost of equals. Immutable once filled.
 */
final class MergeTable {
  /** Up to here a scan for the lowest rank is faster than a heap. */
  private static final int SHORT = 48;

  private final int mask;
  private final long[] keys;
  private final int[] ranks;
  private final int[] results;

  /** A table for this many pairs. */
  MergeTable(int pairs) {
    int size = Integer.highestOneBit(Math.max(8, pairs)) * 4;
    this.mask = size - 1;
    this.keys = new long[size];
    this.ranks = new int[size];
    this.results = new int[size];
    Arrays.fill(keys, -1);
  }

  /** Adds a pair; one that is there already keeps its first rank. */
  void put(int left, int right, int rank, int result) {
    long key = key(left, right);
    int slot = slot(key);
    if (keys[slot] != key) {
      keys[slot] = key;
      ranks[slot] = rank;
      results[slot] = result;
    }
  }

  private static long key(int left, int right) {
    return ((long) left << 32) | right;
  }

  /** Where the key is, or the empty place where it would be. */
  private int slot(long key) {
    int slot = (int) ((key * 0x9E37_79B9_7F4A_7C15L) >>> 32) & mask;
    while (keys[slot] != key && keys[slot] != -1) {
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  /** The rank of a pair; {@link Integer#MAX_VALUE} where it does not merge. */
  private int rank(int left, int right) {
    long key = key(left, right);
    int slot = slot(key);
    return keys[slot] == key ? ranks[slot] : Integer.MAX_VALUE;
  }

  private int result(int left, int right) {
    return results[slot(key(left, right))];
  }

  /** All pairs, by rank, then by ids. */
  List<int[]> pairs() {
    List<Integer> slots = new ArrayList<>();
    for (int slot = 0; slot < keys.length; slot++) {
      if (keys[slot] != -1) {
        slots.add(slot);
      }
    }
    slots.sort(
        Comparator.comparingInt((Integer slot) -> ranks[slot])
            .thenComparingLong(slot -> keys[slot]));
    return slots.stream()
        .map(slot -> new int[] {(int) (keys[slot] >>> 32), (int) keys[slot]})
        .toList();
  }

  /**
   * Merges in place.
   *
   * @param count how many of {@code symbols} there are
   * @return how many there are afterwards
   */
  int merge(int[] symbols, int count) {
    return count <= SHORT ? mergeShort(symbols, count) : mergeLong(symbols, count);
  }

  private int mergeShort(int[] symbols, int count) {
    while (count > 1) {
      int best = -1;
      int lowest = Integer.MAX_VALUE;
      for (int i = 0; i + 1 < count; i++) {
        int rank = rank(symbols[i], symbols[i + 1]);
        if (rank < lowest) {
          lowest = rank;
          best = i;
        }
      }
      if (best < 0) {
        break;
      }
      symbols[best] = result(symbols[best], symbols[best + 1]);
      System.arraycopy(symbols, best + 2, symbols, best + 1, count - best - 2);
      count--;
    }
    return count;
  }

  /** The same over a linked list with a heap: n log n for a piece of n symbols. */
  private int mergeLong(int[] symbols, int count) {
    int[] next = new int[count];
    int[] previous = new int[count];
    LongHeap heap = new LongHeap(count);
    for (int i = 0; i < count; i++) {
      previous[i] = i - 1;
      next[i] = i + 1 < count ? i + 1 : -1;
      offer(heap, symbols, next, i);
    }
    while (!heap.isEmpty()) {
      long entry = heap.poll();
      int at = (int) entry;
      int right = next[at];
      // An entry is stale when either symbol has changed since; a merged-away one is -1.
      if (right < 0
          || symbols[at] < 0
          || rank(symbols[at], symbols[right]) != (int) (entry >>> 32)) {
        continue;
      }
      symbols[at] = result(symbols[at], symbols[right]);
      symbols[right] = -1;
      next[at] = next[right];
      if (next[at] >= 0) {
        previous[next[at]] = at;
      }
      offer(heap, symbols, next, at);
      if (previous[at] >= 0) {
        offer(heap, symbols, next, previous[at]);
      }
    }
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (symbols[i] >= 0) {
        symbols[kept++] = symbols[i];
      }
    }
    return kept;
  }

  private void offer(LongHeap heap, int[] symbols, int[] next, int at) {
    if (next[at] >= 0) {
      int rank = rank(symbols[at], symbols[next[at]]);
      if (rank != Integer.MAX_VALUE) {
        heap.add(((long) rank << 32) | at);
      }
    }
  }

  /** A binary heap of longs, least first. */
  private static final class LongHeap {
    private long[] items;
    private int size;

    LongHeap(int capacity) {
      items = new long[Math.max(4, capacity)];
    }

    boolean isEmpty() {
      return size == 0;
    }

    void add(long item) {
      if (size == items.length) {
        items = Arrays.copyOf(items, 2 * size);
      }
      int at = size++;
      while (at > 0 && items[(at - 1) / 2] > item) {
        items[at] = items[(at - 1) / 2];
        at = (at - 1) / 2;
      }
      items[at] = item;
    }

    long poll() {
      long least = items[0];
      long item = items[--size];
      int at = 0;
      for (int child = 1; child < size; child = 2 * at + 1) {
        if (child + 1 < size && items[child + 1] < items[child]) {
          child++;
        }
        if (items[child] >= item) {
          break;
        }
        items[at] = items[child];
        at = child;
      }
      items[at] = item;
      return least;
    }
  }
}
