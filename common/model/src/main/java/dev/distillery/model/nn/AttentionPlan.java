package dev.distillery.model.nn;

/**
 * Which queries see which keys. Sequence {@code s} has {@code queryCounts[s]} query rows from
 * {@code queryStarts[s]} on and {@code keyCounts[s]} key rows from {@code keyStarts[s]} on; its
 * queries are the last tokens of its keys, so query {@code i} sees keys {@code 0 .. keyCounts[s] -
 * queryCounts[s] + i}. Rows of other sequences are never seen, which is what padding and packing
 * come to.
 *
 * @param heads query heads
 * @param kvHeads key and value heads; query head h reads key head h / (heads / kvHeads)
 * @param headDim width of a head
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
    int[] queryStarts,
    int[] queryCounts,
    int[] keyStarts,
    int[] keyCounts) {

  /** Attention within each sequence of a batch, nothing cached. */
  public static AttentionPlan within(int heads, int kvHeads, int headDim, Batch batch) {
    return new AttentionPlan(
        heads, kvHeads, headDim, batch.starts(), batch.counts(), batch.starts(), batch.counts());
  }

  /** Number of sequences. */
  public int sequences() {
    return queryStarts.length;
  }

  /** Query heads that share one key head. */
  public int group() {
    return heads / kvHeads;
  }

  /** What scores are multiplied by: 1 / sqrt(headDim). */
  public double scale() {
    return 1 / Math.sqrt(headDim);
  }
}
