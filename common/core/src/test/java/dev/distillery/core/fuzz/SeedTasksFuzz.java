package dev.distillery.core.fuzz;

import dev.distillery.core.prompt.SeedTasks;
import dev.distillery.core.run.JobException;
import java.io.ByteArrayInputStream;
import java.io.IOException;

/** Seed tasks: tasks, or an error that names file and line. */
public final class SeedTasksFuzz {
  private SeedTasksFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) throws IOException {
    try {
      SeedTasks.read(new ByteArrayInputStream(data), "s.jsonl");
    } catch (JobException e) {
      if (!String.valueOf(e.getMessage()).contains("s.jsonl")) {
        throw e;
      }
    }
  }
}
