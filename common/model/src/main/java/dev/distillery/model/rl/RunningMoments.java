package dev.distillery.model.rl;

/**
 * Mean and variance of all that was seen, batch by batch (Chan et al. 1979), as TRL keeps them to
 * scale scores.
 */
public final class RunningMoments {
  private double count;
  private double mean;
  private double squares;

  /** Adds a batch; what is not finite is passed over. */
  public void add(double[] values) {
    double size = 0;
    double sum = 0;
    for (double value : values) {
      if (Double.isFinite(value)) {
        size++;
        sum += value;
      }
    }
    if (size == 0) {
      return;
    }
    double center = sum / size;
    double own = 0;
    for (double value : values) {
      if (Double.isFinite(value)) {
        own += (value - center) * (value - center);
      }
    }
    double total = count + size;
    double delta = center - mean;
    squares += own + delta * delta * count * size / total;
    mean += delta * size / total;
    count = total;
  }

  /** Goes on from moments. */
  public void resume(double seen, double center, double sumOfSquares) {
    count = seen;
    mean = center;
    squares = sumOfSquares;
  }

  /** How many were seen. */
  public double count() {
    return count;
  }

  public double mean() {
    return mean;
  }

  /** The sum of the squared differences from the mean. */
  public double squares() {
    return squares;
  }

  /** The deviation by n - 1; 1 where fewer than two were seen. */
  public double deviation() {
    return count > 1 ? Math.sqrt(squares / (count - 1)) : 1;
  }
}
