package dev.distillery.datasets.read;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * Rows that are values in a JSON document, at a fixed depth of brackets. A row belongs to the split
 * that its first byte lies in; the split is told the state that it begins in, see {@link JsonScan}.
 *
 * <p>Only brackets and strings are looked at here: whether a row is valid JSON is for its parser to
 * say, so one that is not costs no other row. A row with an unequal number of brackets does: it
 * ends the array, or takes all that follows into itself, and is named where it begins.
 */
final class ElementReader extends RowReader {
  private static final int NONE = 0;
  private static final int VALUE = 1;
  private static final int STRING = 2;
  private static final int WORD = 3;

  private final int rowDepth;
  private final boolean keyed;

  private boolean inString;
  private boolean escaped;
  private boolean inWord;
  private long depth;
  private boolean started;
  private boolean ended;
  private long line = 1;

  /** What is being read at or above the depth of rows, if it began in this split. */
  private int token = NONE;

  private long tokenStart;
  private long tokenLine;
  private boolean tokenIsRow;
  private @Nullable String key;

  ElementReader(FileSplit split, ReadLimits limits, ByteSource source) {
    super(split, limits, source);
    this.rowDepth = split.file().layout().elementDepth();
    this.keyed = split.file().layout() == Layout.JSON_SPLITS;
    this.inString = split.state().inString();
    this.escaped = split.state().escaped();
    this.inWord = split.state().inWord();
    this.depth = split.state().depth();
  }

  @Override
  boolean advance() throws IOException {
    if (ended) {
      return false;
    }
    if (!nextChunk() || (source.pastEnd() && token == NONE)) {
      end();
      return false;
    }
    if (!started) {
      started = true;
      at = split.isFirst() ? Math.min(split.file().contentStart(), source.length()) : 0;
    }
    scanChunk();
    return true;
  }

  private void scanChunk() {
    byte[] buffer = source.buffer();
    int length = source.length();
    int copied = at;
    boolean mayBegin = !source.pastEnd();
    scan:
    for (int i = at; i < length && !ended; i++) {
      if (inString && !escaped) {
        // Nearly all bytes are text: they are passed over here.
        while (buffer[i] != '"' && buffer[i] != '\\' && buffer[i] != '\n') {
          if (++i == length) {
            break scan;
          }
        }
      }
      byte b = buffer[i];
      if (b == '\n') {
        line++;
      }
      if (escaped) {
        escaped = false;
        continue;
      }
      if (b == '\\') {
        escaped = true;
      }
      if (inString) {
        if (b == '"') {
          inString = false;
          if (token == STRING) {
            copied = endToken(copied, i + 1);
          }
        }
        continue;
      }
      boolean wordByte = JsonState.isWord(b);
      if (inWord && !wordByte && token == WORD) {
        copied = endToken(copied, i);
      }
      if (token == NONE) {
        if (!mayBegin) {
          ended = true;
          return;
        }
        int begins = beginning(b, wordByte);
        if (begins != NONE) {
          token = begins;
          tokenStart = source.position() + i;
          tokenLine = split.isFirst() ? line : -1;
          tokenIsRow = depth == rowDepth;
          copied = i;
        }
      }
      inWord = wordByte;
      if (b == '"') {
        inString = true;
      } else if (b == '{' || b == '[') {
        depth++;
      } else if (b == '}' || b == ']') {
        depth--;
        if (token == VALUE && depth == rowDepth) {
          copied = endToken(copied, i + 1);
        }
      } else if (b == ',' && depth <= 0 && rowDepth == 1) {
        broken(i);
      }
    }
    if (token != NONE) {
      append(copied, length);
      if (rowIsTooLong()) {
        tooLong();
      }
    }
  }

  /** What begins with a byte outside of strings, if that is of interest here. */
  private int beginning(byte b, boolean wordByte) {
    if (depth > rowDepth) {
      return NONE;
    }
    if (b == '"') {
      return STRING;
    }
    if (wordByte) {
      return inWord ? NONE : WORD;
    }
    return depth == rowDepth && (b == '{' || b == '[') ? VALUE : NONE;
  }

  private int endToken(int from, int to) {
    append(from, to);
    if (tokenIsRow) {
      emitRow(tokenStart, tokenLine, key);
    } else if (keyed && token == STRING && depth == 1) {
      String quoted = rowText();
      key = quoted.substring(1, Math.max(1, quoted.length() - 1));
      dropRow();
    } else {
      emit(
          RawRow.bad(
              position(tokenStart, tokenLine),
              "unexpected_content",
              "Found text outside of the array of rows"));
      dropRow();
    }
    token = NONE;
    return to;
  }

  /** The rest of the row need not be read to know that it is too long, unless another follows. */
  private void tooLong() {
    if (source.pastEnd()) {
      emitTooLong(position(tokenStart, tokenLine), "more bytes than that");
      dropRow();
      ended = true;
    }
  }

  private void broken(int i) {
    emit(
        RawRow.bad(
            position(source.position() + i, split.isFirst() ? line : -1),
            "broken_array",
            "The array ends before this comma: a row before it closes more brackets than it opens;"
                + " rows after it cannot be told apart"));
    ended = true;
  }

  private void end() {
    ended = true;
    if (source.damage() != null) {
      emitDamage(token == NONE ? offset() : tokenStart, token == NONE ? -1 : tokenLine);
    } else if (token == WORD && tokenIsRow) {
      emitRow(tokenStart, tokenLine, key);
    } else if (token != NONE) {
      emit(
          RawRow.bad(
              position(tokenStart, tokenLine),
              "unfinished_row",
              "The file ends within the row: it is truncated, or a bracket or quote is missing"));
      dropRow();
    } else if (depth > 0 && !source.pastEnd()) {
      emit(
          RawRow.bad(
              position(offset(), -1),
              "damaged_file",
              "The file ends within the array; rows before are kept"));
    }
  }
}
