package dev.distillery.core.rating;

import dev.distillery.core.random.CounterRandom;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * How often one side of pairwise verdicts won. Every figure is empty where there is no vote.
 *
 * @param wins votes for this side
 * @param ties votes for neither
 * @param losses votes for the other side
 */
public record WinRate(long wins, long ties, long losses) {
  /** Resamples of a bootstrap, unless said otherwise. */
  public static final int RESAMPLES = 1000;

  public WinRate {
    if (wins < 0 || ties < 0 || losses < 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Votes: expected 0 or more of each, found %d wins, %d ties, %d losses.",
              wins,
              ties,
              losses));
    }
  }

  /** All votes, n. */
  public long votes() {
    return wins + ties + losses;
  }

  /** wins / n. */
  public OptionalDouble rate() {
    return share((double) wins);
  }

  /** (wins + ties / 2) / n: the rate of MT-bench and AlpacaEval (0 to 1, not in percent). */
  public OptionalDouble adjustedRate() {
    return share(wins + ties / 2.0);
  }

  private OptionalDouble share(double of) {
    return votes() == 0 ? OptionalDouble.empty() : OptionalDouble.of(of / votes());
  }

  /**
   * The exact interval of {@link #rate()}, ties counted as not won (Clopper and Pearson 1934): its
   * ends are the chances at which so many wins or more, and so few or fewer, come by 2.5%.
   */
  public Optional<Interval> exactInterval() {
    long n = votes();
    return n == 0
        ? Optional.empty()
        : Optional.of(
            Interval.of(Binomial.lowerBound(wins, n), 1 - Binomial.lowerBound(n - wins, n)));
  }

  /**
   * The two-sided p value of the sign test: how likely two equal sides would differ so much or
   * more, min(1, 2 P(X &gt;= max(wins, losses))) with X of wins + losses fair draws. Ties are left
   * out; empty where nothing else is there.
   */
  public OptionalDouble signTest() {
    long decided = wins + losses;
    if (decided == 0) {
      return OptionalDouble.empty();
    }
    double tail = Binomial.upperTail(Math.max(wins, losses), decided, 0.5);
    return OptionalDouble.of(Math.min(1, 2 * tail));
  }

  /**
   * The standard error of {@link #adjustedRate()} as alpaca_eval counts it: s / sqrt(n), where s is
   * the standard deviation, with n - 1 below, of 1 for a win, 0.5 for a tie and 0 for a loss. Empty
   * below two votes.
   */
  public OptionalDouble standardError() {
    long n = votes();
    if (n < 2) {
      return OptionalDouble.empty();
    }
    double mean = (wins + ties / 2.0) / n;
    double squares =
        wins * (1 - mean) * (1 - mean) + ties * (0.5 - mean) * (0.5 - mean) + losses * mean * mean;
    return OptionalDouble.of(Math.sqrt(squares / (n - 1) / n));
  }

  /**
   * The bootstrap interval of {@link #adjustedRate()}: percentiles 2.5 and 97.5, interpolated, of
   * its values in sets of n votes drawn from these with replacement. Draw i of set b is a function
   * of the seed, b and i. Costs n times {@code resamples} draws.
   *
   * @param seed the run's
   * @param resamples 1 or more
   */
  public Optional<Interval> bootstrapInterval(long seed, int resamples) {
    if (resamples < 1) {
      throw new IllegalArgumentException("Resamples: expected 1 or more, found " + resamples + ".");
    }
    long n = votes();
    if (n == 0) {
      return Optional.empty();
    }
    double[] rates = new double[resamples];
    for (int b = 0; b < resamples; b++) {
      long set = CounterRandom.key(seed, b);
      long halves = 0;
      for (long i = 0; i < n; i++) {
        double vote = CounterRandom.uniformDouble(set, i) * n;
        halves += vote < wins ? 2 : vote < wins + ties ? 1 : 0;
      }
      rates[b] = halves / 2.0 / n;
    }
    return Optional.of(percentiles(rates));
  }

  /** Percentiles 2.5 and 97.5, interpolated. */
  static Interval percentiles(double[] rates) {
    double[] sorted = rates.clone();
    Arrays.sort(sorted);
    return Interval.of(quantile(sorted, Interval.TAIL), quantile(sorted, 1 - Interval.TAIL));
  }

  private static double quantile(double[] sorted, double share) {
    double place = share * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }
}
