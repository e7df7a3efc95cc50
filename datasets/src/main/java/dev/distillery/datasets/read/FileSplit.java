package dev.distillery.datasets.read;

import java.io.Serializable;

/**
 * The part of a file that one task reads.
 *
 * @param file the file
 * @param start its first byte, as the file is stored
 * @param end the byte after its last; {@link Long#MAX_VALUE} for the end of the file
 * @param state where in a JSON document the part begins
 * @param offset uncompressed bytes before the part, or -1 where nobody counted them
 */
public record FileSplit(InputFile file, long start, long end, JsonState state, long offset)
    implements Serializable {

  /** A file in one piece. */
  static FileSplit whole(InputFile file) {
    return new FileSplit(file, 0, Long.MAX_VALUE, JsonState.START, 0);
  }

  boolean isFirst() {
    return start == 0;
  }
}
