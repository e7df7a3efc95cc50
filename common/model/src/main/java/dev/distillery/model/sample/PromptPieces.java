package dev.distillery.model.sample;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Prompts are read in pieces that begin at multiples of {@link #LENGTH}: attention gives a token's
 * bits by the tokens beside it, and a piece that two prompts begin with has the same in both.
 */
final class PromptPieces {
  /** Tokens of a piece. */
  static final int LENGTH = 64;

  private PromptPieces() {}

  /**
   * The pieces of a stretch.
   *
   * @param from a multiple of {@link #LENGTH}
   */
  static int[][] of(int[] tokens, int from, int to) {
    return IntStream.iterate(from, at -> at < to, at -> at + LENGTH)
        .mapToObj(at -> Arrays.copyOfRange(tokens, at, Math.min(at + LENGTH, to)))
        .toArray(int[][]::new);
  }

  /**
   * Tokens, in whole pieces, that a prompt need not read again: what follows the last of its tokens
   * is not kept, so that this one is always read.
   *
   * @param read what was read in pieces before
   */
  static int shared(int[] read, int[] prompt) {
    int differs = Arrays.mismatch(read, prompt);
    int common = Math.min(differs < 0 ? prompt.length : differs, prompt.length - 1);
    return common / LENGTH * LENGTH;
  }
}
