package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.TeacherException;
import java.io.Serializable;
import java.time.Duration;
import java.util.SplittableRandom;

/**
 * When a request is tried again. The waits are those of OpenAI's own Java client: what the server
 * says, else half a second that doubles up to eight, with jitter.
 *
 * @param maxAttempts tries of one request; waiting on a server that says wait is no try
 */
public record RetryPolicy(int maxAttempts) implements Serializable {
  private static final long FIRST_MILLIS = 500;
  private static final long LONGEST_MILLIS = 8000;

  public RetryPolicy {
    if (maxAttempts < 1) {
      throw new IllegalArgumentException("maxAttempts must be at least 1, found " + maxAttempts);
    }
  }

  /**
   * Whether the server says wait, which does not count as a try: 429, 503, any answer that names a
   * time, or nobody there to ask.
   */
  static boolean saysWait(TeacherException failure) {
    return failure.retryable()
        && (failure.category() == TeacherException.Category.RATE_LIMITED
            || failure.category() == TeacherException.Category.UNREACHABLE
            || failure.httpStatus() == 503
            || failure.retryAfter().isPresent());
  }

  /**
   * Whether a request that has failed {@code tries} times, waits not counted, may be sent again.
   */
  boolean mayRetry(TeacherException failure, int tries) {
    return failure.retryable() && tries < maxAttempts;
  }

  /**
   * The wait before the next attempt.
   *
   * @param failures in a row, waits counted; at least 1
   */
  static Duration delay(TeacherException failure, int failures, SplittableRandom random) {
    if (failure.taught()) {
      return Duration.ZERO;
    }
    if (failure.retryAfter().isPresent()) {
      return failure.retryAfter().get();
    }
    long backoff = Math.min(LONGEST_MILLIS, FIRST_MILLIS << Math.min(10, failures - 1));
    return Duration.ofMillis((long) (backoff * (0.75 + 0.25 * random.nextDouble())));
  }
}
