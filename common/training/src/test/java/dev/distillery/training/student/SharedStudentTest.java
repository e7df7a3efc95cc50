package dev.distillery.training.student;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.ModelHash;
import dev.distillery.model.sample.Student;
import dev.distillery.training.reward.TinyReward;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SharedStudentTest {
  @TempDir Path temp;

  @AfterEach
  void release() {
    SharedStudent.release();
  }

  @Test
  void aModelThatWasReplacedIsReadAnew() throws IOException {
    try (Stream<Path> files = Files.list(TinyReward.student())) {
      for (Path file : files.toList()) {
        Files.copy(file, temp.resolve(file.getFileName().toString()));
      }
    }
    String model = temp.toString();
    String hash = ModelHash.of(temp);
    Student first = SharedStudent.of(model, hash, 1);
    assertThat(first.config().maxPositions()).isEqualTo(64);
    assertThat(SharedStudent.of(model, hash, 1)).isSameAs(first);
    Path config = temp.resolve("config.json");
    String changed =
        Files.readString(config)
            .replaceFirst("\"max_position_embeddings\": 64", "\"max_position_embeddings\": 32");
    Files.writeString(config, changed);
    for (String now : List.of(ModelHash.of(temp), ModelHash.of(temp).substring(0, 12))) {
      assertThat(SharedStudent.of(model, now, 1).config().maxPositions()).isEqualTo(32);
    }
  }
}
