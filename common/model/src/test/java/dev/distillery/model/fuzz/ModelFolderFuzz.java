package dev.distillery.model.fuzz;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.testing.FuzzedFolder;
import dev.distillery.model.format.ModelFiles;
import java.io.IOException;

/** A folder with config.json and model.safetensors: a model, or an error that names the file. */
public final class ModelFolderFuzz {
  private ModelFolderFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    try (var folder = new FuzzedFolder(data, "config.json", "model.safetensors")) {
      try (ModelFiles model = ModelFiles.open(folder.path())) {
        if (model.config().layers() < 0) {
          throw new IllegalStateException("A model of less than no layers");
        }
      } catch (ModelFileException e) {
        if (!folder.isNamedIn(e)) {
          throw e;
        }
      }
    }
  }
}
