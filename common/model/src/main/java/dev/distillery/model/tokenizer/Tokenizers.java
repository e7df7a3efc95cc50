package dev.distillery.model.tokenizer;

import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens a model's tokenizer, wherever it is. */
public final class Tokenizers {
  private static final String FILE = "tokenizer.json";

  private Tokenizers() {}

  /** Whether a directory has a tokenizer's file that is read. */
  public static boolean isIn(Path directory) {
    return Files.exists(directory.resolve(FILE))
        || Files.exists(directory.resolve(TekkenJson.FILE));
  }

  /**
   * The tokenizer of a model's directory (its tokenizer.json, or else Mistral's tekken.json), of
   * such a file itself, of a GGUF file, or of llama2.c's {@code tokenizer.bin}.
   *
   * @throws ModelFileException if there is none, or it is of a kind that is not known
   */
  public static Tokenizer open(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      boolean tekken = isIn(path) && !Files.exists(path.resolve(FILE));
      return open(path.resolve(tekken ? TekkenJson.FILE : FILE));
    }
    if (path.toString().endsWith(".json")) {
      ModelJson json = ModelJson.read(path);
      return json.has("vocab") ? TekkenJson.read(json) : TokenizerJson.read(json);
    }
    if (ModelFiles.isGguf(path)) {
      try (ModelFiles model = ModelFiles.open(path)) {
        return of(model.gguf().orElseThrow());
      }
    }
    if (Files.isRegularFile(path) && path.toString().endsWith(".bin")) {
      return Llama2cTokenizer.read(path);
    }
    throw new ModelFileException(
        path, "it is no directory with a " + FILE + ", no GGUF file and no llama2.c tokenizer");
  }

  /** The tokenizer in a GGUF file's metadata. */
  public static Tokenizer of(GgufMetadata metadata) throws ModelFileException {
    return GgufTokenizer.read(metadata);
  }

  /** The tokenizer of a model that is open. */
  public static Tokenizer of(ModelFiles model) throws IOException {
    return model.gguf().isPresent() ? of(model.gguf().get()) : open(model.path());
  }
}
