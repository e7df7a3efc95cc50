package dev.distillery.model.cpu;

import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.core.teacher.Teachers;
import dev.distillery.core.teacher.testing.Requests;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** llama.cpp on a GGUF file, as the oracle. */
final class LlamaCpp {
  private final Teacher teacher;

  LlamaCpp(Path file) {
    TeacherSettings settings =
        new TeacherSettings("gguf", file.toString(), "", "completions", Duration.ofMinutes(2), 1);
    teacher = Teachers.open(settings.withThreads(1), Secret.NONE);
  }

  /** The greedy reply; a stop token ends it. */
  String greedy(String prompt, int length) {
    try {
      return teacher
          .send(Requests.prompt("r", "m", prompt, Requests.greedy(length)))
          .get(2, TimeUnit.MINUTES)
          .text();
    } catch (ExecutionException | TimeoutException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
