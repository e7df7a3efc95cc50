package dev.distillery.jobs.generate;

import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.Completion;
import java.time.Instant;
import java.util.Optional;

/** Ends of requests, as the fan-out would bring them. */
final class Replies {
  private Replies() {}

  static Completion ok(TeacherRequest request, String text, String finishReason) {
    return end(request, true, Optional.of(text), Optional.of(finishReason), Optional.empty());
  }

  static Completion failed(TeacherRequest request) {
    return end(
        request, false, Optional.empty(), Optional.empty(), Optional.of("timeout: No answer"));
  }

  private static Completion end(
      TeacherRequest request,
      boolean ok,
      Optional<String> text,
      Optional<String> finishReason,
      Optional<String> error) {
    return new Completion(
        request.requestId(),
        request.rowId(),
        request.model(),
        request.prompt().orElse(""),
        "{}",
        ok,
        finishReason,
        text,
        10,
        0,
        10,
        20,
        Optional.of(0.0),
        1,
        0,
        200,
        5,
        error,
        Instant.EPOCH);
  }
}
