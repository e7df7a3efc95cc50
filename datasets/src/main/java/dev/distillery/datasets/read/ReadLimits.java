package dev.distillery.datasets.read;

import java.io.Serializable;

/**
 * What a reader believes of its input.
 *
 * @param maxRowBytes a longer row is rejected, and never held in memory whole
 * @param maxExpansion a compressed file that grows by more than this factor (and past 64 MiB) is
 *     cut off there
 */
public record ReadLimits(int maxRowBytes, int maxExpansion) implements Serializable {
  /** 16 MiB a row; 1,000 times for a compressed file. */
  public static final ReadLimits DEFAULT = new ReadLimits(16 << 20, 1000);
}
