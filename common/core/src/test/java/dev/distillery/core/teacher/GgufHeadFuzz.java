package dev.distillery.core.teacher;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The head of a GGUF file: a name, or an error that names the file. */
public final class GgufHeadFuzz {
  private GgufHeadFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    Path file = Files.createTempFile("fuzz", ".gguf");
    try {
      Files.write(file, data);
      GgufHead.read(file).name();
    } catch (IllegalArgumentException e) {
      if (!String.valueOf(e.getMessage()).contains(file.toString())) {
        throw e;
      }
    } finally {
      Files.delete(file);
    }
  }
}
