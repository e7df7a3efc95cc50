package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.TeacherException.Category;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TeacherExceptionTest {
  @ParameterizedTest
  @EnumSource
  void whatEndsTheRunIsNeverTriedAgain(Category category) {
    var failure = new TeacherException(category, 0, Optional.empty(), "why");

    assertThat(failure.retryable() && failure.fatal()).isFalse();
    assertThat(failure.retryable()).isEqualTo(category.retryable());
  }

  @Test
  void travelsThroughSparkWithAllButTheLimits() throws Exception {
    var limits =
        new RateLimits(1, 2, Optional.of(Duration.ofSeconds(3)), Optional.of(Duration.ZERO));
    var failure =
        new TeacherException(
            Category.RATE_LIMITED,
            429,
            Optional.of(Duration.ofMillis(250)),
            Optional.of(false),
            limits,
            "slow down");
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(failure);
    }
    TeacherException copy;
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      copy = (TeacherException) in.readObject();
    }

    assertThat(failure.limits()).isEqualTo(limits);
    assertThat(copy).hasMessage("slow down");
    assertThat(copy.category()).isEqualTo(Category.RATE_LIMITED);
    assertThat(copy.httpStatus()).isEqualTo(429);
    assertThat(copy.retryAfter()).contains(Duration.ofMillis(250));
    assertThat(copy.retryable()).isFalse();
    assertThat(copy.limits()).isEqualTo(RateLimits.NONE);
  }
}
