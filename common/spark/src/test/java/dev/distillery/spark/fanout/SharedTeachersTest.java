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

  private static Teacher of(String run, String model, String server) {
    var settings = new TeacherSettings("memory", model, server, "chat", Duration.ofSeconds(1), 1);
    return SharedTeachers.of(run, settings, Secret.NONE);
  }

  @Test
  void aRunKeepsTheFileThatItBeganWithAndTheNextTakesWhatLiesThere() throws IOException {
    Path model = Files.writeString(temp.resolve("model.gguf"), "one");
    Teacher first = of("one", model.toString(), "");
    assertThat(of("two", model.toString(), "")).isSameAs(first);
    Files.writeString(model, "another");
    assertThat(of("two", model.toString(), "")).isSameAs(first);
    Teacher second = of("three", model.toString(), "");
    assertThat(second).isNotSameAs(first);
    assertThat(of("four", model.toString(), "")).isSameAs(second);
  }

  @Test
  void aServersModelIsNoFile() throws IOException {
    Path model = Files.writeString(temp.resolve("model"), "one");
    Teacher first = of("one", model.toString(), "http://localhost/v1");
    Files.writeString(model, "another");
    assertThat(of("two", model.toString(), "http://localhost/v1")).isSameAs(first);
  }
}
