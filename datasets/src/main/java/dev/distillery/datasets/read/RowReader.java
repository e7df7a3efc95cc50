package dev.distillery.datasets.read;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.hadoop.conf.Configuration;
import org.jspecify.annotations.Nullable;

/**
 * The rows that begin in one split, in order. Memory is bounded by one row. What cannot be read
 * comes as a row with a problem, never as an exception; a file system that fails does throw, so
 * that the task is repeated.
 */
public abstract class RowReader implements Iterator<RawRow>, Closeable {
  final FileSplit split;
  final ReadLimits limits;
  final ByteSource source;

  /** Index of the next byte in the source's buffer. */
  int at;

  private final Deque<RawRow> ready = new ArrayDeque<>();
  private final ByteArrayOutputStream row = new ByteArrayOutputStream();
  private long rowLength;
  private boolean done;

  RowReader(FileSplit split, ReadLimits limits, ByteSource source) {
    this.split = split;
    this.limits = limits;
    this.source = source;
  }

  /** Opens a split. */
  public static RowReader open(FileSplit split, Configuration hadoop, ReadLimits limits)
      throws IOException {
    ByteSource source = ByteSources.open(split, hadoop, limits.maxExpansion());
    return switch (split.file().layout()) {
      case JSON_LINES, XML_ROWS, TEXT_LINES -> new LineReader(split, limits, source);
      case JSON_ARRAY, JSON_VALUES, JSON_SPLITS -> new ElementReader(split, limits, source);
      case WHOLE_FILE -> new WholeFileReader(split, limits, source);
    };
  }

  /** Hands over the next rows by {@link #emit}; false where there are none. */
  abstract boolean advance() throws IOException;

  @Override
  public final boolean hasNext() {
    try {
      while (ready.isEmpty() && !done) {
        done = !advance();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot read " + split.file().path() + ": " + e.getMessage(), e);
    }
    return !ready.isEmpty();
  }

  @Override
  public final RawRow next() {
    if (!hasNext()) {
      throw new NoSuchElementException();
    }
    return ready.remove();
  }

  @Override
  public void close() throws IOException {
    source.close();
  }

  final void emit(RawRow raw) {
    ready.add(raw);
  }

  final boolean nextChunk() throws IOException {
    at = 0;
    return source.next();
  }

  /** Bytes from the split's beginning to {@link #at}. */
  final long offset() {
    return source.position() + at;
  }

  final RawRow.Position position(long offset, long line) {
    return split.offset() >= 0
        ? new RawRow.Position(split.file().ordinal(), 0, split.offset() + offset, line)
        : new RawRow.Position(split.file().ordinal(), split.start(), offset, line);
  }

  /** Adds bytes of the buffer to the row that is being read, as long as it is not too long. */
  final void append(int from, int to) {
    rowLength += to - from;
    if (rowLength <= limits.maxRowBytes()) {
      row.write(source.buffer(), from, to - from);
    } else {
      row.reset();
    }
  }

  final boolean rowIsEmpty() {
    return rowLength == 0;
  }

  final boolean rowIsTooLong() {
    return rowLength > limits.maxRowBytes();
  }

  final String rowText() {
    return rowIsTooLong() ? "\"\"" : row.toString(StandardCharsets.UTF_8);
  }

  final void dropRow() {
    row.reset();
    rowLength = 0;
  }

  /** Ends the row that is being read. */
  final void emitRow(long start, long line, @Nullable String key) {
    RawRow.Position position = position(start, line);
    if (rowIsTooLong()) {
      emitTooLong(position, rowLength + " bytes");
    } else {
      emit(RawRow.of(position, row.toByteArray(), key));
    }
    dropRow();
  }

  final void emitTooLong(RawRow.Position position, String found) {
    emit(
        RawRow.bad(
            position,
            "row_too_long",
            "The row has " + found + "; --max-row-bytes allows " + limits.maxRowBytes()));
  }

  /** Ends the split where its bytes end before the file does. */
  final void emitDamage(long start, long line) {
    String damage = source.damage();
    if (damage != null) {
      emit(RawRow.bad(position(start, line), "damaged_file", damage + "; rows before are kept"));
      dropRow();
    }
  }
}
