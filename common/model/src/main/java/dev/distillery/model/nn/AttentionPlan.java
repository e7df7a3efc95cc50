package dev.distillery.model.nn;

/**
 * Which queries see which keys. Sequence {@code s} has {@code queryCounts[s]} query rows from
 * {@code queryStarts[s]} on and {@code keyCounts[s]} key rows from {@code keyStarts[s]} on; its
 * queries are the last tokens of its keys, so query {@code i} sees the last {@code window} of the
 * keys {@code 0 .. keyCounts[s] - queryCounts[s] + i}. Rows of other sequences are never seen,
 * which is what padding and packing come to.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; query head h reads key head h / (heads / kvHeads)
 * @param headDim width of a head
 * @param scale what scores are multiplied by
 * @param window keys that a query sees at most, its own among them
 * @param queryStarts first query row of each sequence
 * @param queryCounts query rows of each sequence
 * @param keyStarts first key row of each sequence
 * @param keyCounts key rows of each sequence, at least as many as its queries
 */
@SuppressWarnings(
    "ArrayRecordComponent") // Built once a batch and only read: a copy would help nobody.
public record AttentionPlan(
    int heads,
    int kvHeads,
    int headDim,
    double scale,
    int window,
    int[] queryStarts,
    int[] queryCounts,
    int[] keyStarts,
    int[] keyCounts) {

  /** A window that hides nothing. */
  public static final int NO_WINDOW = Integer.MAX_VALUE;

  /** The same rows with another window. */
  AttentionPlan window(int other) {
    return new AttentionPlan(
        heads, kvHeads, headDim, scale, other, queryStarts, queryCounts, keyStarts, keyCounts);
  }

  /** Number of sequences. */
  public int sequences() {
    return queryStarts.length;
  }

  /** Query heads that share one key head. */
  public int group() {
    return heads / kvHeads;
  }

  /** The first key that a query sees, of those of its sequence; {@code key} is its own. */
  public int firstKey(int key) {
    return Math.max(0, key - window + 1);
  }
}
