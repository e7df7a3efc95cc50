package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;

/** A server's answer: an error or a reply that can be kept, and nothing else. */
public final class AnswersFuzz {
  private AnswersFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    JsonNode error = ServerErrors.error(data);
    TeacherRequest request =
        new TeacherRequest(
            "r",
            Optional.empty(),
            "m",
            Optional.of("a prompt that is long enough"),
            List.of(),
            Sampling.of(1),
            "{}");
    ServerErrors.category(400, error, request);
    String words = ServerWords.of(error, Secret.of("sk-secret"), request);
    if (words.contains("sk-secret") || words.contains("\n") || words.length() > 800) {
      throw new IllegalStateException("Words that may not be shown: " + words);
    }
    OpenAiProtocol.parse(data)
        .flatMap(json -> OpenAiProtocol.reply(json, 200, RateLimits.NONE))
        .map(reply -> reply.finished(List.of("a")))
        .ifPresent(
            reply -> {
              if (reply.text().indexOf('\0') >= 0) {
                throw new IllegalStateException("NUL in a reply");
              }
            });
  }
}
