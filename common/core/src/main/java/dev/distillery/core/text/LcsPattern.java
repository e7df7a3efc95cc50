package dev.distillery.core.text;

import java.util.Arrays;

/**
 * One token list, prepared for the length of its longest common subsequence with many others: the
 * bit-parallel algorithm of Crochemore et al. (2001) in the form of Hyyrö (2004). With M[y] the
 * positions of y in the list and V all ones at first, each token y of the other list does {@code U
 * = V & M[y]; V = (V + U) | (V - U)}; the length is the number of zeros in V.
 *
 * <p>A list of more than 64 tokens is cut into blocks of 64. The blocks are passed one after the
 * other over the whole other list, and the carries of the addition, one bit for each of its tokens,
 * go from block to block: so memory grows with m + n only. Time is n * ceil(m / 64) steps.
 */
public final class LcsPattern {
  private static final int EMPTY = -1;

  private final int blocks;
  private final int capacity;
  private final int shift;
  // Open addressing: block b has M in slots [b * capacity, (b + 1) * capacity).
  private final int[] keys;
  private final long[] masks;

  /** Prepares the list; tokens are numbers from 0. */
  public LcsPattern(int[] tokens) {
    blocks = (tokens.length + Long.SIZE - 1) / Long.SIZE;
    capacity = Integer.highestOneBit(Math.max(3, 2 * Math.min(tokens.length, Long.SIZE) - 1)) << 1;
    shift = Integer.SIZE - Integer.numberOfTrailingZeros(capacity);
    keys = new int[blocks * capacity];
    Arrays.fill(keys, EMPTY);
    masks = new long[blocks * capacity];
    for (int i = 0; i < tokens.length; i++) {
      int slot = slot(i / Long.SIZE * capacity, tokens[i]);
      keys[slot] = tokens[i];
      masks[slot] |= 1L << i;
    }
  }

  /** The length of the longest common subsequence with another list of tokens. */
  public int lengthWith(int[] tokens) {
    return blocks == 1 ? oneBlock(tokens) : manyBlocks(tokens);
  }

  private int oneBlock(int[] tokens) {
    long v = -1L;
    for (int token : tokens) {
      long u = v & masks[slot(0, token)];
      v = (v + u) | (v - u);
    }
    return Long.bitCount(~v);
  }

  private int manyBlocks(int[] tokens) {
    long[] carries = new long[(tokens.length + Long.SIZE - 1) / Long.SIZE];
    int zeros = 0;
    for (int block = 0; block < blocks; block++) {
      long v = -1L;
      for (int i = 0; i < tokens.length; i++) {
        long u = v & masks[slot(block * capacity, tokens[i])];
        long carry = (carries[i >> 6] >>> i) & 1;
        long sum = v + u + carry;
        // The carry out of an addition, from the top bits of its operands and of its sum.
        long carryOut = ((v & u) | ((v | u) & ~sum)) >>> 63;
        carries[i >> 6] ^= (carry ^ carryOut) << i;
        v = sum | (v - u);
      }
      zeros += Long.bitCount(~v);
    }
    return zeros;
  }

  /** Where the token is in its block's table, or the empty slot (of mask 0) where it would be. */
  private int slot(int base, int token) {
    int slot = (token * 0x9E3779B9) >>> shift;
    while (keys[base + slot] != token && keys[base + slot] != EMPTY) {
      slot = (slot + 1) & (capacity - 1);
    }
    return base + slot;
  }
}
