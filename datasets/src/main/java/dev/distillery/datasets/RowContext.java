package dev.distillery.datasets;

import java.util.Optional;

/**
 * Where a row comes from.
 *
 * @param path the file
 * @param key the key of the array that the row lies in, for files of several arrays
 */
public record RowContext(String path, Optional<String> key) {
  /** The split that the key, or else the file's name, speaks of. */
  public Optional<String> split() {
    return Splits.of(key.orElse(path.substring(path.lastIndexOf('/') + 1)));
  }
}
