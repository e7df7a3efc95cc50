package dev.distillery.training.tokens;

import java.io.ByteArrayOutputStream;
import java.io.Closeable;
import java.io.DataOutputStream;
import java.io.IOException;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.jspecify.annotations.Nullable;

/**
 * Writes one part of a token table (version 1), or only counts what would be in it. Big-endian:
 *
 * <ol>
 *   <li>8 bytes: {@code DISTTOK1}
 *   <li>the rows, each as {@link SequenceCodec} has it
 *   <li>an int64 for each row: where it begins; and one more: where the last ends
 *   <li>int64: the number of rows; 8 bytes: {@code DISTTOK1}
 * </ol>
 *
 * <p>A row is found by two reads: its two offsets, counted from the end of the file, and its bytes.
 */
final class TokenPartWriter implements Closeable {
  static final byte[] MAGIC = {'D', 'I', 'S', 'T', 'T', 'O', 'K', '1'};

  private final String name;
  private final @Nullable DataOutputStream out;
  private final ByteArrayOutputStream index = new ByteArrayOutputStream();
  private final DataOutputStream offsets = new DataOutputStream(index);
  private long at = MAGIC.length;
  private long rows;
  private long tokens;
  private long learned;
  private int longest;
  private long cut;
  private long shared;
  private long ends;

  private TokenPartWriter(String name, @Nullable DataOutputStream out) {
    this.name = name;
    this.out = out;
  }

  /** Writes a new file. */
  static TokenPartWriter create(FileSystem files, Path file) throws IOException {
    DataOutputStream out = files.create(file, true, 1 << 20);
    out.write(MAGIC);
    return new TokenPartWriter(file.getName(), out);
  }

  /** Counts only. */
  static TokenPartWriter counting() {
    return new TokenPartWriter("", null);
  }

  /** Adds a row. */
  void add(TokenSequence sequence) throws IOException {
    byte[] bytes = SequenceCodec.encode(sequence);
    offsets.writeLong(at);
    if (out != null) {
      out.write(bytes);
    }
    at += bytes.length;
    rows++;
    tokens += sequence.ids().length;
    longest = Math.max(longest, sequence.ids().length);
    for (float weight : sequence.weights()) {
      learned += weight > 0 ? 1 : 0;
    }
  }

  /** Adds the rows of a window. */
  void add(PackRows.Window window) throws IOException {
    cut += window.cut();
    shared += window.shared();
    ends += window.ends();
    for (TokenSequence row : window.rows()) {
      add(row);
    }
  }

  /** Ends the file. */
  TokenPart finish() throws IOException {
    if (out != null) {
      offsets.writeLong(at);
      offsets.writeLong(rows);
      offsets.write(MAGIC);
      out.write(index.toByteArray());
      at += index.size();
      out.close();
    }
    return new TokenPart(name, rows, at, tokens, learned, longest, cut, shared, ends);
  }

  @Override
  public void close() throws IOException {
    if (out != null) {
      out.close();
    }
  }
}
