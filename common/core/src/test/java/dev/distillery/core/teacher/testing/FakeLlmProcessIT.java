package dev.distillery.core.teacher.testing;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FakeLlmProcessIT {
  @Test
  void servesFromAProcessOfItsOwnAndCountsWhatItSaw() throws Exception {
    try (FakeLlmProcess server =
            FakeLlmProcess.start("--latency-ms", "50", "--error-rate", "0.2", "--key", "k1");
        Teacher teacher =
            Teachers.open(
                new TeacherSettings(
                    "openai", "fake-model", server.baseUrl(), "chat", Duration.ofSeconds(20), 64),
                Secret.of("k1"))) {
      var replies = new ArrayList<CompletableFuture<Boolean>>();
      for (int i = 0; i < 200; i++) {
        replies.add(
            teacher
                .send(Requests.chat("id" + i, "fake-model", "count me " + i, Sampling.of(9)))
                .handle((TeacherReply reply, Throwable failure) -> failure == null));
      }
      long good = 0;
      for (CompletableFuture<Boolean> reply : replies) {
        good += reply.get(30, TimeUnit.SECONDS) ? 1 : 0;
      }

      assertThat(good).isBetween(130L, 190L);
      assertThat(server.stats().path("requests").asInt()).isEqualTo(200);
      assertThat(server.stats().path("distinct").asInt()).isEqualTo(200);
      assertThat(server.stats().path("statuses").path("200").asLong()).isEqualTo(good);
      assertThat(server.stats().path("prompt_tokens").asLong()).isEqualTo(3 * good);
      assertThat(server.requests()).hasSize(200).allMatch(RequestLog.Entry::delivered);
    }
  }
}
