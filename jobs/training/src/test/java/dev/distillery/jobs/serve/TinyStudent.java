package dev.distillery.jobs.serve;

import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * golden/student of common/model, which make_student_goldens.py made with transformers; its context
 * is raised, so that an answer can take long.
 */
final class TinyStudent {
  /** Tokens of its context. */
  static final int CONTEXT = 4000;

  /** The original, with what transformers says of it. */
  static final Path GOLDEN =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private TinyStudent() {}

  /** Its folder, in another one; made where it is not there yet. */
  static Path model(Path folder) throws IOException {
    Path model = folder.resolve("student");
    if (Files.notExists(model)) {
      Files.createDirectories(model);
      for (String name :
          List.of(
              "model.safetensors",
              "tokenizer.json",
              "tokenizer_config.json",
              "chat_template.jinja",
              "generation_config.json")) {
        Files.copy(GOLDEN.resolve(name), model.resolve(name));
      }
      String config = Files.readString(GOLDEN.resolve("config.json"));
      Files.writeString(
          model.resolve("config.json"),
          config.replace(
              "\"max_position_embeddings\": 64", "\"max_position_embeddings\": " + CONTEXT));
    }
    return model;
  }
}
