package dev.distillery.core.filter;

/** Counts of hashes, in two arrays with open addressing: boxes would cost more than the hashing. */
final class HashCounts {
  private final long[] keys;
  private final int[] counts;
  private final int mask;

  /**
   * @param most hashes that will be added
   */
  HashCounts(int most) {
    int capacity = Integer.highestOneBit(Math.max(8, most)) * 4;
    keys = new long[capacity];
    counts = new int[capacity];
    mask = capacity - 1;
  }

  /** Counts one more; returns how often the hash has been counted, this time included. */
  int add(long hash) {
    int at = place(hash);
    keys[at] = hash;
    return ++counts[at];
  }

  int count(long hash) {
    return counts[place(hash)];
  }

  private int place(long hash) {
    int at = (int) (hash ^ (hash >>> 32)) & mask;
    while (counts[at] != 0 && keys[at] != hash) {
      at = (at + 1) & mask;
    }
    return at;
  }
}
