package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.TeacherAccessOptions;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * What a run must not exceed, over all executors together.
 *
 * @param concurrency requests at once
 * @param requestsPerMinute requests sent in any window of 60 seconds
 * @param tokensPerMinute tokens, read and written, of the requests sent in any window of 60 seconds
 * @param maxRequests requests sent in all, tries that failed included
 * @param maxTotalTokens tokens in all, read and written
 * @param maxCostUsd US dollars in all
 * @param maxWait longest time of waiting on a server that refuses
 * @param maxFailureRatio share of the requests that may fail for good
 */
public record FanoutLimits(
    int concurrency,
    OptionalLong requestsPerMinute,
    OptionalLong tokensPerMinute,
    OptionalLong maxRequests,
    OptionalLong maxTotalTokens,
    Optional<BigDecimal> maxCostUsd,
    Duration maxWait,
    double maxFailureRatio) {

  /** A limit on requests at once, and no other. */
  public static FanoutLimits ofConcurrency(int concurrency) {
    return new FanoutLimits(
        concurrency,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        Duration.ofHours(1),
        0.1);
  }

  /** The limits that a command line gives. */
  public static FanoutLimits of(TeacherAccessOptions options) {
    return new FanoutLimits(
        options.concurrency(),
        toLong(options.requestsPerMinute()),
        toLong(options.tokensPerMinute()),
        toLong(options.maxRequests()),
        toLong(options.maxTotalTokens()),
        options.maxCostUsd(),
        options.maxWait(),
        options.maxFailureRatio());
  }

  OptionalLong maxNanos() {
    return maxCostUsd
        .map(
            usd ->
                OptionalLong.of(
                    usd.movePointRight(9).setScale(0, RoundingMode.FLOOR).longValueExact()))
        .orElse(OptionalLong.empty());
  }

  private static OptionalLong toLong(Optional<Long> value) {
    return value.map(OptionalLong::of).orElse(OptionalLong.empty());
  }
}
