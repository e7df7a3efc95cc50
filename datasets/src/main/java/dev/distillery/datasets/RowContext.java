package dev.distillery.datasets;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * Where a row comes from, and what of it was not read.
 *
 * @param path the file
 * @param key the key of the array that the row lies in, for files of several arrays
 * @param ownSplit the split that the row names itself, if it does
 * @param unreadFields names of fields that no reader knows; filled while the row is read
 */
public record RowContext(
    String path, Optional<String> key, Optional<String> ownSplit, Set<String> unreadFields) {
  /** A row's names beyond this many are not kept: rows with names for keys have no end of them. */
  private static final int MAX_UNREAD = 20;

  /** The context of a row that is yet to be read. */
  public RowContext(String path, Optional<String> key) {
    this(path, key, Optional.empty(), new TreeSet<>());
  }

  /**
   * The same for a row with a field {@code split}; a name that is no split's is counted as unread.
   */
  public RowContext with(ObjectNode row) {
    Optional<String> said = JsonFields.said(row, "split");
    Optional<String> own = said.flatMap(Splits::of);
    if (said.isPresent() && own.isEmpty()) {
      unread("split");
    }
    return new RowContext(path, key, own, unreadFields);
  }

  /** The split that the row names, else its key, else the file's name. */
  public Optional<String> split() {
    return ownSplit.or(() -> Splits.of(key.orElse(path.substring(path.lastIndexOf('/') + 1))));
  }

  /** Remembers that a field is passed over. */
  public void unread(String field) {
    if (unreadFields.size() < MAX_UNREAD) {
      unreadFields.add(field.length() > 100 ? field.substring(0, 100) + "..." : field);
    }
  }
}
