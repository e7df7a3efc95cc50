package dev.distillery.core.fuzz;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Recipe;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A recipe: values, or an error that names the file. */
public final class RecipeFuzz {
  private RecipeFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    try {
      Recipe.read(
          "r.yaml",
          new String(data, StandardCharsets.UTF_8),
          "dedup",
          List.of("dedup", "generate"),
          List.of("threshold", "columns", "model"));
    } catch (JobException e) {
      if (!String.valueOf(e.getMessage()).contains("r.yaml")) {
        throw e;
      }
    }
  }
}
