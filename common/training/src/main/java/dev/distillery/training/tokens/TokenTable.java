package dev.distillery.training.tokens;

import dev.distillery.core.run.JobException;
import java.io.Closeable;
import java.io.IOException;
import java.io.Serializable;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * A token table that is read by position, on the driver and on executors: it travels as the places
 * of its files, and each JVM opens them where it needs them. Holds no rows in memory. Files of a
 * remote store are copied once a JVM to local disk while they are small together, and are read
 * where they lie beyond that.
 *
 * <p>A file that is not as it was written, down to the last row, is refused by name.
 */
public final class TokenTable implements TokenRows, Serializable, Closeable {
  private static final long serialVersionUID = 1L;

  /** Bytes of a remote table that are copied to local disk at most. */
  private static final long MAX_COPIED_BYTES = 16L << 30;

  private static final int TRAILER = Long.BYTES + TokenPartWriter.MAGIC.length;

  private final SerializableConfiguration hadoop;
  private final String folder;
  private final List<TokenPart> parts;
  private final long[] firstRows;
  private final long bytes;
  private transient @Nullable Map<Integer, Opened> opened;

  /** A part, open for reads at any place by any thread. */
  private interface Opened extends Closeable {
    void read(long position, byte[] into) throws IOException;

    boolean isOpen();
  }

  TokenTable(SerializableConfiguration hadoop, Path folder, List<TokenPart> parts) {
    this.hadoop = hadoop;
    this.folder = folder.toString();
    this.parts = List.copyOf(parts);
    this.firstRows = new long[parts.size() + 1];
    for (int p = 0; p < parts.size(); p++) {
      firstRows[p + 1] = firstRows[p] + parts.get(p).rows();
    }
    this.bytes = parts.stream().mapToLong(TokenPart::bytes).sum();
  }

  /**
   * Looks whether every part is there in full length.
   *
   * @throws IOException naming one that is not
   */
  void check() throws IOException {
    for (TokenPart part : parts) {
      Path file = file(part);
      long length = file.getFileSystem(hadoop.value()).getFileStatus(file).getLen();
      if (length != part.bytes()) {
        throw new IOException(
            "%s has %s bytes and should have %s".formatted(file, length, part.bytes()));
      }
    }
  }

  @Override
  public long size() {
    return firstRows[firstRows.length - 1];
  }

  /** Tokens of all rows. */
  public long tokens() {
    return parts.stream().mapToLong(TokenPart::tokens).sum();
  }

  /** Tokens with a weight over 0. */
  public long learned() {
    return parts.stream().mapToLong(TokenPart::learned).sum();
  }

  /** Tokens of the longest row. */
  public int longest() {
    return parts.stream().mapToInt(TokenPart::longest).max().orElse(0);
  }

  /**
   * One row.
   *
   * @throws JobException if its file is damaged
   */
  @Override
  public TokenSequence row(long index) {
    if (index < 0 || index >= size()) {
      throw new IndexOutOfBoundsException("Row %s of %s".formatted(index, size()));
    }
    int found = Arrays.binarySearch(firstRows, index);
    // Parts without rows begin where the next one does: the last of those that begin here is meant.
    int p = found >= 0 ? found : -found - 2;
    while (firstRows[p + 1] <= index) {
      p++;
    }
    TokenPart part = parts.get(p);
    try {
      Opened file = open(p);
      long fromEnd = (part.rows() + 1 - (index - firstRows[p])) * Long.BYTES + TRAILER;
      ByteBuffer offsets = ByteBuffer.allocate(2 * Long.BYTES);
      file.read(part.bytes() - fromEnd, offsets.array());
      long from = offsets.getLong();
      long to = offsets.getLong();
      if (from < TokenPartWriter.MAGIC.length || to <= from || to > part.bytes() - TRAILER) {
        throw new IOException("the row's place in the file is not in it");
      }
      byte[] row = new byte[Math.toIntExact(to - from)];
      file.read(from, row);
      return SequenceCodec.decode(row);
    } catch (IOException | ArithmeticException e) {
      throw JobException.invalid(
          "Row %s of the token table cannot be read from %s: %s; delete the folder, and the table is built again"
              .formatted(index, file(part), e.getMessage()));
    }
  }

  private Path file(TokenPart part) {
    return new Path(folder, part.file());
  }

  private synchronized Opened open(int p) throws IOException {
    Map<Integer, Opened> all = opened;
    if (all == null) {
      all = new ConcurrentHashMap<>();
      opened = all;
    }
    Opened now = all.get(p);
    // An interrupt, as when Spark ends a task, closes a channel for all who use it.
    if (now == null || !now.isOpen()) {
      now = openPart(parts.get(p));
      all.put(p, now);
    }
    return now;
  }

  private Opened openPart(TokenPart part) throws IOException {
    if (part.bytes() < TokenPartWriter.MAGIC.length + (part.rows() + 1) * Long.BYTES + TRAILER) {
      throw notWhole(part);
    }
    Path file = file(part);
    FileSystem files = file.getFileSystem(hadoop.value());
    Opened result;
    if (files.getScheme().equals("file")) {
      result = new LocalFile(java.nio.file.Path.of(file.toUri().getPath()));
    } else if (bytes <= MAX_COPIED_BYTES) {
      result = new LocalFile(copy(files, file));
    } else {
      result = new RemoteFile(files.open(file));
    }
    byte[] head = new byte[TokenPartWriter.MAGIC.length];
    byte[] trailer = new byte[TRAILER];
    result.read(0, head);
    result.read(part.bytes() - TRAILER, trailer);
    ByteBuffer end = ByteBuffer.wrap(trailer);
    if (!Arrays.equals(head, TokenPartWriter.MAGIC)
        || end.getLong() != part.rows()
        || !Arrays.equals(trailer, Long.BYTES, TRAILER, head, 0, head.length)) {
      result.close();
      throw notWhole(part);
    }
    return result;
  }

  private static IOException notWhole(TokenPart part) {
    return new IOException("it is no whole part of " + part.rows() + " rows");
  }

  private static java.nio.file.Path copy(FileSystem files, Path file) throws IOException {
    java.nio.file.Path local = Files.createTempFile("distillery-tokens-", ".part");
    local.toFile().deleteOnExit();
    files.copyToLocalFile(false, file, new Path(local.toUri()), true);
    return local;
  }

  @Override
  public synchronized void close() throws IOException {
    if (opened != null) {
      for (Opened file : opened.values()) {
        file.close();
      }
      opened = null;
    }
  }

  private static final class LocalFile implements Opened {
    private final FileChannel channel;

    LocalFile(java.nio.file.Path path) throws IOException {
      this.channel = FileChannel.open(path, StandardOpenOption.READ);
    }

    @Override
    public void read(long position, byte[] into) throws IOException {
      ByteBuffer buffer = ByteBuffer.wrap(into);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, position + buffer.position()) < 0) {
          throw new IOException("the file ends early");
        }
      }
    }

    @Override
    public boolean isOpen() {
      return channel.isOpen();
    }

    @Override
    public void close() throws IOException {
      channel.close();
    }
  }

  private static final class RemoteFile implements Opened {
    private final FSDataInputStream in;

    RemoteFile(FSDataInputStream in) {
      this.in = in;
    }

    @Override
    public void read(long position, byte[] into) throws IOException {
      in.readFully(position, into);
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
