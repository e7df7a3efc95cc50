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
    return hold(new SharedTeachers.Asker(run, "attempt"), model, server);
  }

  private static SharedTeachers.Held hold(SharedTeachers.Asker asker, String model, String server) {
    var settings = new TeacherSettings("memory", model, server, "chat", Duration.ofSeconds(1), 1);
    return SharedTeachers.hold(asker, settings, Secret.NONE);
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

  /** As of an id that is given again with {@code --overwrite}, or in another warehouse. */
  @Test
  void anotherAttemptAtARunTakesWhatLiesThere() throws IOException {
    Path model = Files.writeString(temp.resolve("model.gguf"), "one");
    Teacher first = of("run", model.toString(), "");
    Files.writeString(model, "another");
    assertThat(of("run", model.toString(), "")).isSameAs(first);
    try (var held = hold(new SharedTeachers.Asker("run", "later"), model.toString(), "")) {
      assertThat(held.teacher()).isNotSameAs(first);
    }
  }

  /** A run of many models would fill the memory with them. */
  @Test
  void aRunsNextModelTakesThePlaceOfTheOneBefore() throws IOException {
    String one = Files.writeString(temp.resolve("one.gguf"), "one").toString();
    String two = Files.writeString(temp.resolve("two.gguf"), "two").toString();
    Teacher first = of("run", one, "");
    Teacher server = of("run", "model", "http://localhost/v1");
    try (var held = hold("run", two, "")) {
      // The first is closed, the second is held by a task.
      Teacher again = of("run", one, "");
      assertThat(again).isNotSameAs(first);
      assertThat(of("run", two, "")).isSameAs(held.teacher());
      assertThat(of("other", one, "")).isNotSameAs(again);
    }
    // Another run, which may be between two rounds, has asked it too.
    Teacher shared = of("run", one, "");
    assertThat(of("run", two, "")).isNotNull();
    assertThat(of("other", one, "")).isSameAs(shared);
    assertThat(of("run", "model", "http://localhost/v1")).isSameAs(server);
  }

  @Test
  void aServersModelIsNoFile() throws IOException {
    Path model = Files.writeString(temp.resolve("model"), "one");
    Teacher first = of("one", model.toString(), "http://localhost/v1");
    Files.writeString(model, "another");
    assertThat(of("two", model.toString(), "http://localhost/v1")).isSameAs(first);
  }
}
