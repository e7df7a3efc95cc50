package dev.distillery.core.format;

import java.io.IOException;
import java.nio.file.Path;

/** A model's file is not what it should be. The message names file, place, value and remedy. */
public final class ModelFileException extends IOException {
  private static final long serialVersionUID = 1L;

  public ModelFileException(String message) {
    super(message);
  }

  public ModelFileException(Path file, String problem) {
    super("Cannot use " + file + ": " + problem);
  }

  public ModelFileException(Path file, String problem, Throwable cause) {
    super("Cannot use " + file + ": " + problem, cause);
  }
}
