package dev.distillery.core.rating;

/** Tails of the binomial distribution, by summing its terms. */
final class Binomial {
  private Binomial() {}

  /**
   * P(X &gt;= k) of n draws with chance p, for k at or above the mean, where terms only fall. Ends
   * where they no longer count, after some sqrt(n).
   */
  static double upperTail(long k, long n, double p) {
    return upperTail(k, n, p, logChoose(n, k));
  }

  private static double upperTail(long k, long n, double p, double logChoose) {
    double odds = p / (1 - p);
    double term = 1;
    double sum = 1;
    for (long i = k; i < n && term > sum * 1e-17; i++) {
      term *= odds * (n - i) / (i + 1);
      sum += term;
    }
    return sum * Math.exp(logChoose + k * Math.log(p) + (n - k) * Math.log1p(-p));
  }

  /** The chance at which k or more of n come by {@link Interval#TAIL}; 0 where k is 0. */
  static double lowerBound(long k, long n) {
    if (k == n) {
      return Math.pow(Interval.TAIL, 1.0 / n);
    }
    double logChoose = logChoose(n, k);
    double low = 0;
    double high = (double) k / n;
    while (true) {
      double middle = (low + high) / 2;
      if (middle <= low || middle >= high) {
        return middle;
      }
      if (upperTail(k, n, middle, logChoose) < Interval.TAIL) {
        low = middle;
      } else {
        high = middle;
      }
    }
  }

  private static double logChoose(long n, long k) {
    long fewer = Math.min(k, n - k);
    double sum = 0;
    for (long i = 1; i <= fewer; i++) {
      sum += Math.log((double) (n - fewer + i) / i);
    }
    return sum;
  }
}
