package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class TeachersTest {
  private static TeacherSettings settings(String kind) {
    return new TeacherSettings(
        kind, "m", "http://127.0.0.1:1/v1", "chat", Duration.ofSeconds(1), 1);
  }

  @Test
  void opensAKindByItsName() {
    try (Teacher teacher = Teachers.open(settings("openai"), Secret.NONE)) {
      assertThat(teacher).isInstanceOf(OpenAiTeacher.class);
    }
  }

  @Test
  void unknownKindIsRefusedWithTheNearest() {
    assertThatThrownBy(() -> Teachers.open(settings("opnai"), Secret.NONE))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("Unknown --teacher 'opnai', did you mean 'openai'?; known here: ");
  }
}
