package dev.distillery.core.teacher.testing;

/** Decides what {@link FakeLlmServer} answers. Called by many threads at once. */
@FunctionalInterface
public interface FakeScript {
  FakeAnswer answer(FakeRequest request);

  /**
   * Answers every request with a text that hangs on its prompt alone: {@code Reply to} and a hash.
   */
  static FakeScript echo() {
    return request ->
        FakeAnswer.says(
            request,
            "Reply to "
                + FakeRequest.hash(
                    request.prompt().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
  }
}
