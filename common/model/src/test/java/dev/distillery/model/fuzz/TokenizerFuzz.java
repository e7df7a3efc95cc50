package dev.distillery.model.fuzz;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A tokenizer.json or tekken.json: ids within the vocabulary, or an error that names the file. */
public final class TokenizerFuzz {
  private static final String TEXT = "<s>[INST] Two  caf\u00e9s,\n\t3 \ud83d\ude00s </s>\u0000";

  private TokenizerFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".json");
    try {
      Files.write(file, data);
      Tokenizer tokenizer = Tokenizers.open(file);
      int[] ids = tokenizer.begun(TEXT);
      for (int id : ids) {
        if (id < 0 || id >= tokenizer.vocabSize()) {
          throw new IllegalStateException("Id " + id + " of " + tokenizer.vocabSize());
        }
      }
      tokenizer.decode(ids, true);
      tokenizer.encodeOrdinary(TEXT);
    } catch (ModelFileException e) {
      if (!String.valueOf(e.getMessage()).contains(file.toString())) {
        throw e;
      }
    } finally {
      Files.delete(file);
    }
  }
}
