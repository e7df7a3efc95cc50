package dev.distillery.datasets.read;

import java.io.IOException;

/**
 * Rows that are lines. A line belongs to the split that its first byte lies in, or that ends just
 * before it: so that no split needs to see the byte before its own first. Blank lines are no rows.
 */
final class LineReader extends RowReader {
  private boolean started;
  private boolean ended;
  private long line;

  LineReader(FileSplit split, ReadLimits limits, ByteSource source) {
    super(split, limits, source);
  }

  @Override
  boolean advance() throws IOException {
    if (!started) {
      started = true;
      if (!start()) {
        emitDamage(0, -1);
        return false;
      }
    }
    if (ended || !atLineOfOurs()) {
      return false;
    }
    readLine();
    return true;
  }

  private boolean start() throws IOException {
    if (!nextChunk()) {
      return false;
    }
    if (split.isFirst()) {
      at = Math.min(split.file().contentStart(), source.length());
      for (int i = 0; i < at; i++) {
        line += source.buffer()[i] == '\n' ? 1 : 0;
      }
      return true;
    }
    while (!source.pastEnd()) {
      int newline = indexOfNewline();
      if (newline >= 0) {
        at = newline + 1;
        return true;
      }
      if (!nextChunk()) {
        return false;
      }
    }
    return false;
  }

  /** Moves to the byte that the next line begins with, if that line is this split's. */
  private boolean atLineOfOurs() throws IOException {
    boolean wasInside = !source.pastEnd();
    if (at < source.length()) {
      return wasInside;
    }
    if (!nextChunk()) {
      emitDamage(offset(), nextLine());
      return false;
    }
    return wasInside;
  }

  private long nextLine() {
    return split.isFirst() ? line + 1 : -1;
  }

  private void readLine() throws IOException {
    line++;
    long start = offset();
    int newline = indexOfNewline();
    while (newline < 0) {
      append(at, source.length());
      if (!nextChunk()) {
        ended = true;
        emitDamage(start, split.isFirst() ? line : -1);
        endLine(start);
        return;
      }
      newline = indexOfNewline();
    }
    append(at, newline);
    at = newline + 1;
    endLine(start);
  }

  private void endLine(long start) {
    if (rowIsEmpty()) {
      return;
    }
    emitRow(start, split.isFirst() ? line : -1, null);
  }

  private int indexOfNewline() {
    byte[] buffer = source.buffer();
    int length = source.length();
    for (int i = at; i < length; i++) {
      if (buffer[i] == '\n') {
        return i;
      }
    }
    return -1;
  }
}
