package dev.distillery.datasets.read;

import java.io.EOFException;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;

/**
 * Follows the frames of a Zstandard stream (RFC 8878, section 3.1) as its bytes go by, and fails
 * where they end within one. Decompresses nothing, and leaves it to the decompressor to say what
 * else is wrong.
 */
final class ZstdFrameCheck extends FilterInputStream {
  /** What the next bytes are. */
  private enum Next {
    MAGIC,
    SKIPPABLE_SIZE,
    DESCRIPTOR,
    BLOCK_HEADER,
    ANYTHING
  }

  private static final int RLE_BLOCK = 1;
  private static final int[] DICTIONARY_BYTES = {0, 1, 2, 4};
  private static final int[] CONTENT_SIZE_BYTES = {0, 2, 4, 8};

  private Next next = Next.MAGIC;

  /** Bytes that belong to what was announced, before what is {@link #next}. */
  private long skipped;

  /** The bytes of {@link #next} so far, little endian, and how many they are. */
  private long value;

  private int bytes;
  private boolean checksum;

  ZstdFrameCheck(InputStream in) {
    super(in);
  }

  @Override
  public int read() throws IOException {
    byte[] one = new byte[1];
    return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
  }

  @Override
  public int read(byte[] buffer, int offset, int length) throws IOException {
    int read = in.read(buffer, offset, length);
    if (read < 0) {
      boolean whole = next == Next.MAGIC && bytes == 0 && skipped == 0;
      if (!whole && next != Next.ANYTHING) {
        throw new EOFException("The stream ends within a frame");
      }
      return read;
    }
    int at = offset;
    int end = offset + read;
    while (at < end && next != Next.ANYTHING) {
      if (skipped > 0) {
        int passed = (int) Math.min(skipped, end - at);
        skipped -= passed;
        at += passed;
      } else {
        take(buffer[at++] & 0xFF);
      }
    }
    return read;
  }

  private void take(int b) {
    value |= (long) b << (8 * bytes++);
    boolean whole =
        bytes
            == switch (next) {
              case MAGIC, SKIPPABLE_SIZE -> 4;
              case BLOCK_HEADER -> 3;
              case DESCRIPTOR, ANYTHING -> 1;
            };
    if (!whole) {
      return;
    }
    int read = (int) value;
    value = 0;
    bytes = 0;
    switch (next) {
      case MAGIC -> {
        boolean skippable = (read & 0xFFFFFFF0) == ZstdFrames.SKIPPABLE;
        next =
            skippable
                ? Next.SKIPPABLE_SIZE
                : read == ZstdFrames.MAGIC ? Next.DESCRIPTOR : Next.ANYTHING;
      }
      case SKIPPABLE_SIZE -> {
        skipped = read & 0xFFFFFFFFL;
        next = Next.MAGIC;
      }
      case DESCRIPTOR -> {
        boolean singleSegment = (read & 0x20) != 0;
        int contentSize = CONTENT_SIZE_BYTES[read >> 6];
        int header = (singleSegment ? 0 : 1) + DICTIONARY_BYTES[read & 3];
        skipped = header + (contentSize == 0 && singleSegment ? 1L : contentSize);
        checksum = (read & 4) != 0;
        next = Next.BLOCK_HEADER;
      }
      case BLOCK_HEADER -> {
        boolean last = (read & 1) != 0;
        skipped = (read >> 1 & 3) == RLE_BLOCK ? 1 : read >> 3;
        if (last) {
          skipped += checksum ? 4 : 0;
          next = Next.MAGIC;
        }
      }
      case ANYTHING -> {
        // The decompressor says what it is.
      }
    }
  }
}
