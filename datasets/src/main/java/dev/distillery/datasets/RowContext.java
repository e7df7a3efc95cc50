package dev.distillery.datasets;

import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where a row comes from, and what of it was not read.
 *
 * @param path the file
 * @param key the key of the array that the row lies in, for files of several arrays
 * @param unreadFields names of fields that no reader knows; filled while the row is read
 */
public record RowContext(String path, Optional<String> key, Set<String> unreadFields) {
  /** A row's names beyond this many are not kept: rows with names for keys have no end of them. */
  private static final int MAX_UNREAD = 20;

  /** The context of a row that is yet to be read. */
  public RowContext(String path, Optional<String> key) {
    this(path, key, new TreeSet<>());
  }

  /** The split that the key, or else the file's name, speaks of. */
  public Optional<String> split() {
    return Splits.of(key.orElse(path.substring(path.lastIndexOf('/') + 1)));
  }

  /** Remembers that a field is passed over. */
  public void unread(String field) {
    if (unreadFields.size() < MAX_UNREAD) {
      unreadFields.add(field.length() > 100 ? field.substring(0, 100) + "..." : field);
    }
  }
}
