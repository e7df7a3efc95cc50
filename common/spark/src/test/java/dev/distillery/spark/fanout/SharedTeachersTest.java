package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedTeachersTest {
  @TempDir Path temp;

  @AfterEach
  void closeAll() {
    SharedTeachers.closeAll();
  }

  private static SharedTeachers.Held hold(String run, String model, String server) {
    var settings = new TeacherSettings("memory", model, server, "chat", Duration.ofSeconds(1), 1);
    return SharedTeachers.hold(run, settings, Secret.NONE);
  }

  private static Teacher of(String run, String model, String server) {
    try (var held = hold(run, model, server)) {
      return held.teacher();
    }
  }

  @Test
  void aRunKeepsTheFileThatItHoldsAndTheNextTakesWhatLiesThere() throws IOException {
    Path model = Files.writeString(temp.resolve("model.gguf"), "one");
    Teacher first = of("one", model.toString(), "");
    var held = hold("two", model.toString(), "");
    assertThat(held.teacher()).isSameAs(first);
    Files.writeString(model, "another");
    Teacher second = of("three", model.toString(), "");
    assertThat(second).isNotSameAs(first);
    assertThat(of("two", model.toString(), "")).isSameAs(first);
    assertThat(of("four", model.toString(), "")).isSameAs(second);
    // Nobody holds the old one any more.
    held.close();
    assertThat(of("two", model.toString(), "")).isSameAs(second);
  }

  @Test
  void aServersModelIsNoFile() throws IOException {
    Path model = Files.writeString(temp.resolve("model"), "one");
    Teacher first = of("one", model.toString(), "http://localhost/v1");
    Files.writeString(model, "another");
    assertThat(of("two", model.toString(), "http://localhost/v1")).isSameAs(first);
  }
}
