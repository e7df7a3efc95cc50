package dev.distillery.datasets.read;

import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * One row as it lies in a file, or what is known of one that cannot be read.
 *
 * @param position where it is
 * @param bytes its bytes; empty where there is a problem
 * @param key the key of the array that it lies in, for files of several arrays
 * @param problem why it cannot be read
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared; a copy of each row would be a waste.
public record RawRow(
    Position position, byte[] bytes, @Nullable String key, @Nullable Problem problem)
    implements Serializable {

  /**
   * Where a row begins. Positions of a run's rows sort as the rows lie in its files, on any number
   * of tasks.
   *
   * @param file the file's ordinal
   * @param part the byte of the stored file that the part begins at which {@code offset} counts
   *     from; 0 where the whole file is counted
   * @param offset bytes from there, uncompressed
   * @param line from 1; -1 where several tasks read the file and none knows
   */
  public record Position(int file, long part, long offset, long line) implements Serializable {
    /**
     * As a message names it: the line where it is known, the byte, and what that is counted from.
     */
    public String describe() {
      String from = part == 0 ? "" : " after the block or frame at stored byte " + part;
      return (line > 0 ? "line " + line + ", " : "") + "byte " + offset + from;
    }
  }

  /** A row that cannot be read: the rule's name, and what was found. */
  public record Problem(String rule, String detail) implements Serializable {}

  /** A row that was read. */
  public static RawRow of(Position position, byte[] bytes, @Nullable String key) {
    return new RawRow(position, bytes, key, null);
  }

  static RawRow bad(Position position, String rule, String detail) {
    return new RawRow(position, new byte[0], null, new Problem(rule, detail));
  }
}
