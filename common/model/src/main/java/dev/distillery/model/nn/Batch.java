package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import java.util.List;

/**
 * Sequences of tokens, one after the other without padding. A row of a padded batch and a document
 * of a packed one are both just a sequence here: its tokens see each other causally and nothing
 * else.
 *
 * @param ids token ids, all sequences joined
 * @param positions position of each token in its sequence, from 0
 * @param starts index of each sequence's first token
 * @param counts tokens of each sequence, at least 1
 * @param rowIds a number that names each sequence for random choices (dropout), the same wherever
 *     the sequence is computed
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record Batch(int[] ids, int[] positions, int[] starts, int[] counts, long[] rowIds) {
  public Batch {
    if (ids.length == 0) {
      throw new IllegalArgumentException("A batch needs at least one token");
    }
  }

  /** A batch of sequences, each with positions from 0, named by the given ids. */
  public static Batch of(List<int[]> sequences, long[] rowIds) {
    int total = sequences.stream().mapToInt(s -> s.length).sum();
    int[] ids = new int[total];
    int[] positions = new int[total];
    int[] starts = new int[sequences.size()];
    int[] counts = new int[sequences.size()];
    int at = 0;
    for (int s = 0; s < starts.length; s++) {
      int[] sequence = sequences.get(s);
      if (sequence.length == 0) {
        throw new IllegalArgumentException("Sequence " + s + " of the batch has no tokens");
      }
      starts[s] = at;
      counts[s] = sequence.length;
      System.arraycopy(sequence, 0, ids, at, sequence.length);
      for (int i = 0; i < sequence.length; i++) {
        positions[at + i] = i;
      }
      at += sequence.length;
    }
    return new Batch(ids, positions, starts, counts, rowIds);
  }

  /** A batch of sequences, named by their index. */
  public static Batch of(List<int[]> sequences) {
    long[] rowIds = new long[sequences.size()];
    for (int i = 0; i < rowIds.length; i++) {
      rowIds[i] = i;
    }
    return of(sequences, rowIds);
  }

  /** Number of tokens. */
  public int tokens() {
    return ids.length;
  }

  /** Number of sequences. */
  public int sequences() {
    return starts.length;
  }

  /** The index of each sequence's last token. */
  public int[] lastTokens() {
    int[] last = new int[starts.length];
    for (int s = 0; s < last.length; s++) {
      last[s] = starts[s] + counts[s] - 1;
    }
    return last;
  }

  /**
   * The target of each token: the next of its sequence, and -1 at a sequence's end, where there is
   * none.
   */
  public int[] nextTokens() {
    int[] targets = new int[ids.length];
    System.arraycopy(ids, 1, targets, 0, ids.length - 1);
    for (int s = 0; s < starts.length; s++) {
      targets[starts[s] + counts[s] - 1] = -1;
    }
    return targets;
  }

  /** A random key for each token, from a key of the pass, its sequence's name and its position. */
  long[] tokenKeys(long key) {
    long[] keys = new long[ids.length];
    for (int s = 0; s < starts.length; s++) {
      long row = CounterRandom.key(key, rowIds[s]);
      for (int i = starts[s]; i < starts[s] + counts[s]; i++) {
        keys[i] = CounterRandom.key(row, positions[i]);
      }
    }
    return keys;
  }
}
