package dev.distillery.datasets.read;

/** How rows lie in a file, told by how it begins and not by its name. */
public enum Layout {
  /** One JSON object a line. */
  JSON_LINES,
  /** One array whose elements are the rows, on as many lines as it likes. */
  JSON_ARRAY,
  /** JSON objects one after another, each on several lines. */
  JSON_VALUES,
  /**
   * One object of arrays, {@code {"train": [...], "eval": [...]}}: the rows of all arrays, with the
   * key as their split. Read by one task.
   */
  JSON_SPLITS,
  /** An XML dump with one {@code <row .../>} a line. */
  XML_ROWS,
  /** One text a line. */
  TEXT_LINES,
  /** The file is one row. */
  WHOLE_FILE;

  /** How many brackets are open where a row begins; -1 where rows are lines. */
  int elementDepth() {
    return switch (this) {
      case JSON_ARRAY -> 1;
      case JSON_VALUES -> 0;
      case JSON_SPLITS -> 2;
      case JSON_LINES, XML_ROWS, TEXT_LINES, WHOLE_FILE -> -1;
    };
  }
}
