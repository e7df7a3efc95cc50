package dev.distillery.training.tokens;

/**
 * Rows that would be, known by their sums only: for plans.
 *
 * @param size rows of an epoch
 * @param tokens of them
 * @param longest tokens of the longest
 */
public record PlannedRows(long size, long tokens, int longest) implements TokenRows {
  /** A row of the usual length, without any text. */
  @Override
  public TokenSequence row(long index) {
    int length = (int) Math.max(1, Math.min(longest, tokens / Math.max(1, size)));
    return new TokenSequence(new int[length], new float[length], new int[] {0});
  }
}
