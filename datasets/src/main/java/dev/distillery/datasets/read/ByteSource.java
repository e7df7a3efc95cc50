package dev.distillery.datasets.read;

import java.io.Closeable;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The uncompressed bytes of a split and of what follows it in the file, chunk by chunk. No chunk
 * crosses the split's end, which a compressed file only knows when it is reached.
 */
interface ByteSource extends Closeable {
  /** Reads the next chunk into {@link #buffer()}. */
  boolean next() throws IOException;

  byte[] buffer();

  /** Bytes of the buffer that are filled. */
  int length();

  /** Bytes of the split before the chunk. */
  long position();

  /** Whether the chunk lies after the split's end. */
  boolean pastEnd();

  /** Why the bytes end before the file does: it is truncated, damaged, or a bomb. */
  @Nullable String damage();
}
