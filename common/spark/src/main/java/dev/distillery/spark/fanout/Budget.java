package dev.distillery.spark.fanout;

import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a run may use in all. What is in flight counts at its worst until it is settled, so a budget
 * cannot be broken by replies that are still to come. Not safe for use by several threads.
 */
final class Budget {
  private final OptionalLong maxRequests;
  private final OptionalLong maxTotalTokens;
  private final OptionalLong maxNanos;
  private Spend spent;
  private Spend reserved = Spend.NONE;

  Budget(FanoutLimits limits, Spend spentBefore) {
    this.maxRequests = limits.maxRequests();
    this.maxTotalTokens = limits.maxTotalTokens();
    this.maxNanos = limits.maxNanos();
    this.spent = spentBefore;
  }

  /** Sets {@code worst} aside if it still fits. */
  boolean reserve(Spend worst) {
    if (lacking(worst).isPresent()) {
      return false;
    }
    reserved = reserved.plus(worst);
    return true;
  }

  /** Takes back what was set aside and books what was really used. */
  void settle(Spend worst, Spend used) {
    reserved = reserved.minus(worst);
    spent = spent.plus(used);
  }

  /** Whether nothing is set aside, so that no more can become free. */
  boolean settled() {
    return reserved.requests() == 0;
  }

  Spend spent() {
    return spent;
  }

  /** The limit that has no room for {@code worst}, told as a person would like to read it. */
  Optional<String> lacking(Spend worst) {
    Spend after = spent.plus(reserved).plus(worst);
    if (maxRequests.isPresent() && after.requests() > maxRequests.getAsLong()) {
      return Optional.of(
          "The budget of "
              + maxRequests.getAsLong()
              + " requests (--max-requests) is spent: "
              + spent.requests()
              + " were sent");
    }
    if (maxTotalTokens.isPresent() && after.tokens() > maxTotalTokens.getAsLong()) {
      return Optional.of(
          "The budget of "
              + maxTotalTokens.getAsLong()
              + " tokens (--max-total-tokens) has no room for the next request: "
              + spent.tokens()
              + " are used, and the request may use "
              + worst.tokens());
    }
    if (maxNanos.isPresent() && after.nanos() > maxNanos.getAsLong()) {
      return Optional.of(
          String.format(
              Locale.ROOT,
              "The budget of $%s (--max-cost-usd) has no room for the next request: $%.6f are"
                  + " spent, and the request may cost $%.6f",
              Spend.usd(maxNanos.getAsLong()),
              spent.usd(),
              worst.usd()));
    }
    return Optional.empty();
  }
}
