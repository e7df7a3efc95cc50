package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file of any size, mapped read-only. A buffer holds less than 2 GiB, so windows of almost that
 * begin at every GiB, and any slice of up to {@link #MAX_SLICE} lies inside one.
 */
final class MappedFile implements Closeable {
  /** Longest slice, in bytes. */
  static final int MAX_SLICE = 1 << 30;

  private static final int STRIDE_BITS = 30;

  private final Path path;
  private final long size;
  private volatile ByteBuffer[] windows;

  private MappedFile(Path path, long size, ByteBuffer[] windows) {
    this.path = path;
    this.size = size;
    this.windows = windows;
  }

  static MappedFile open(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      long size = channel.size();
      ByteBuffer[] windows = new ByteBuffer[(int) Math.min(1 << 20, (size >> STRIDE_BITS) + 1)];
      for (int i = 0; i < windows.length; i++) {
        long from = (long) i << STRIDE_BITS;
        long length = Math.min(Integer.MAX_VALUE, size - from);
        windows[i] = channel.map(FileChannel.MapMode.READ_ONLY, from, length);
      }
      return new MappedFile(path, size, windows);
    }
  }

  Path path() {
    return path;
  }

  long size() {
    return size;
  }

  /** A read-only little-endian view. The caller has checked it against {@link #size}. */
  ByteBuffer slice(long offset, int length) throws ModelFileException {
    ByteBuffer[] open = windows;
    if (open.length == 0) {
      throw new ModelFileException(path, "it has been closed");
    }
    if (offset < 0 || length < 0 || length > MAX_SLICE || offset > size - length) {
      throw new IndexOutOfBoundsException(
          "Bytes " + offset + " + " + length + " of " + path + ", which has " + size);
    }
    int window = (int) (offset >> STRIDE_BITS);
    return open[window]
        .slice((int) (offset & (1L << STRIDE_BITS) - 1), length)
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Lets go of the mappings; the collector unmaps them. */
  @Override
  public void close() {
    windows = new ByteBuffer[0];
  }
}
