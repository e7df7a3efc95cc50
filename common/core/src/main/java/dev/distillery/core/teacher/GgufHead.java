package dev.distillery.core.teacher;

import dev.distillery.core.format.GgufHeader;
import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Set;

/**
 * What the header of a GGUF file says of a teacher. Read before the file is handed to native code,
 * which is less kind to a file that is not what it seems.
 *
 * @param name the model's own, or what it is built like
 * @param contextLength most tokens the model was trained on at once; 0 where the file does not say
 * @param addsBeginToken whether llama.cpp puts a beginning-of-text token before a prompt: as the
 *     file says, else by its tokenizer, as llama.cpp decides (SentencePiece and Llama 3 do, other
 *     byte-level ones do not)
 * @param beginToken number of the beginning-of-text token; -1 where the file has none
 * @param chatTemplate the Jinja template of a dialogue; empty where the file has none
 */
record GgufHead(
    String name, int contextLength, boolean addsBeginToken, int beginToken, String chatTemplate) {
  /** Names of byte-level tokenizers that llama.cpp puts a beginning before. */
  private static final Set<String> BEGINNING =
      Set.of(
          "llama-bpe",
          "llama3",
          "llama-v3",
          "falcon3",
          "falcon-h1",
          "pixtral",
          "midm-2.0",
          "lfm2",
          "tekken",
          "chameleon");

  /**
   * Reads the header of the file.
   *
   * @throws IllegalArgumentException where it is not such a file; the message names it
   */
  static GgufHead read(Path file) {
    try {
      return of(GgufHeader.read(file).metadata());
    } catch (ModelFileException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    } catch (IOException e) {
      throw new IllegalArgumentException("Cannot use %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static GgufHead of(GgufMetadata metadata) throws ModelFileException {
    String architecture = metadata.text("general.architecture", "unknown");
    return new GgufHead(
        metadata.text("general.name", architecture),
        metadata.integer(architecture + ".context_length", 0),
        metadata.bool("tokenizer.ggml.add_bos_token", beginsByTokenizer(metadata)),
        metadata.integer("tokenizer.ggml.bos_token_id", -1),
        metadata.text("tokenizer.chat_template", ""));
  }

  private static boolean beginsByTokenizer(GgufMetadata metadata) throws ModelFileException {
    return metadata.text("tokenizer.ggml.model", "").equals("llama")
        || BEGINNING.contains(metadata.text("tokenizer.ggml.pre", ""));
  }
}
