package dev.distillery.core.page;

import java.util.Arrays;

/**
 * Points of one line, bounded: at the limit every second one goes, and from then on every second
 * comes.
 */
public final class Series {
  private final int most;
  private double[] x = new double[64];
  private double[] y = new double[64];
  private int size;
  private long seen;
  private long stride = 1;

  /**
   * @param most points that are kept
   */
  public Series(int most) {
    this.most = most;
  }

  /** Takes a point behind those before. */
  public void add(double nextX, double nextY) {
    if (seen++ % stride != 0) {
      return;
    }
    if (size == most) {
      for (int i = 0; 2 * i < size; i++) {
        x[i] = x[2 * i];
        y[i] = y[2 * i];
      }
      size = (size + 1) / 2;
      stride *= 2;
      if ((seen - 1) % stride != 0) {
        return;
      }
    }
    if (size == x.length) {
      x = Arrays.copyOf(x, 2 * size);
      y = Arrays.copyOf(y, 2 * size);
    }
    x[size] = nextX;
    y[size++] = nextY;
  }

  /** The line through what is kept. */
  public LinePlot.Line line(String name) {
    return new LinePlot.Line(name, Arrays.copyOf(x, size), Arrays.copyOf(y, size));
  }
}
