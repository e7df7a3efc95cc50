package dev.distillery.model.fuzz;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.model.format.AdapterFiles;
import java.io.IOException;

/** A folder with an adapter: its weights, or an error that names the file. */
public final class AdapterFuzz {
  private AdapterFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    try (var folder = new FuzzedFolder(data, "adapter_config.json", "adapter_model.safetensors")) {
      try {
        AdapterFiles.read(folder.path()).weights().close();
      } catch (ModelFileException e) {
        if (!folder.isNamedIn(e)) {
          throw e;
        }
      }
    }
  }
}
