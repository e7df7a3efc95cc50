package dev.distillery.datasets;

import java.io.Serializable;
import java.util.Collection;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * The fields of a source's rows that its reader knows: those that it reads, and those that it
 * leaves because they say nothing of what the row teaches (ids, dates, names of models). A field of
 * neither kind is counted and named.
 *
 * @param read names that are read
 * @param left names that are left
 * @param pattern of further names that are read
 */
public record Fields(Set<String> read, Set<String> left, String pattern) implements Serializable {
  /** What any publisher adds, and no reader needs. */
  private static final Set<String> COMMON =
      Set.of(
          "id",
          "idx",
          "index",
          "__index_level_0__",
          "date",
          "timestamp",
          "created_at",
          "updated_at",
          "model",
          "source",
          "dataset",
          "split",
          "lang",
          "language");

  private static final String NOTHING = "(?!)";

  public Fields {
    read = Set.copyOf(read);
    left = Set.copyOf(left);
  }

  /** Fields that are read. */
  public static Fields read(String... names) {
    return new Fields(Set.of(names), COMMON, NOTHING);
  }

  /** These, and others that are read. */
  public Fields reading(Collection<String> names) {
    var all = new TreeSet<>(read);
    all.addAll(names);
    return new Fields(all, left, pattern);
  }

  /** These, and others that are left. */
  public Fields leaving(String... names) {
    var all = new TreeSet<>(left);
    all.addAll(Set.of(names));
    return new Fields(read, all, pattern);
  }

  /** These, and others whose names have a form. */
  public Fields matching(String names) {
    return new Fields(read, left, names);
  }

  /** Whether a field is read, or left knowingly. */
  public boolean knows(String name) {
    return read.contains(name) || left.contains(name) || Pattern.matches(pattern, name);
  }
}
