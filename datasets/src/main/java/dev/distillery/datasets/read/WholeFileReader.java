package dev.distillery.datasets.read;

import java.io.IOException;

/** A file that is one row. */
final class WholeFileReader extends RowReader {
  WholeFileReader(FileSplit split, ReadLimits limits, ByteSource source) {
    super(split, limits, source);
  }

  @Override
  boolean advance() throws IOException {
    int from = split.file().contentStart();
    while (nextChunk()) {
      append(Math.min(from, source.length()), source.length());
      from = 0;
      if (rowIsTooLong()) {
        emitTooLong(position(0, 1), "more bytes than that");
        return false;
      }
    }
    emitDamage(0, 1);
    if (!rowIsEmpty()) {
      emitRow(0, 1, null);
    }
    return false;
  }
}
