package dev.distillery.model.fuzz;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A whole GGUF file: a model, its tokenizer and templates, or an error that names the file. */
public final class GgufModelFuzz {
  private GgufModelFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".gguf");
    try {
      Files.write(file, data);
      try (ModelFiles model = ModelFiles.open(file)) {
        if (model.gguf().isPresent()) {
          ModelTemplates.read(model);
          Tokenizers.of(model);
        }
      }
    } catch (ModelFileException e) {
      if (!String.valueOf(e.getMessage()).contains(file.toString())) {
        throw e;
      }
    } finally {
      Files.delete(file);
    }
  }
}
