package dev.distillery.datasets.read;

import java.io.EOFException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FSDataInputStream;

/**
 * Finds where the frames of a Zstandard file begin (RFC 8878, section 3.1), reading a few bytes of
 * each block and decompressing nothing.
 */
final class ZstdFrames {
  static final int MAGIC = 0xFD2FB528;
  static final int SKIPPABLE = 0x184D2A50;
  private static final int BLOCK_HEADER_BYTES = 3;
  private static final int RLE_BLOCK = 1;
  private static final int[] DICTIONARY_BYTES = {0, 1, 2, 4};
  private static final int[] CONTENT_SIZE_BYTES = {0, 2, 4, 8};

  private ZstdFrames() {}

  /** The byte that each frame with content begins at; up to the first that is not well formed. */
  static List<Long> starts(FSDataInputStream in, long length) throws IOException {
    List<Long> starts = new ArrayList<>();
    byte[] head = new byte[18];
    long at = 0;
    try {
      while (at + 4 < length) {
        int read = readAt(in, at, head);
        int magic = (int) littleEndian(head, 0, 4);
        if ((magic & 0xFFFFFFF0) == SKIPPABLE && read >= 8) {
          at += 8 + littleEndian(head, 4, 4);
        } else if (magic == MAGIC && read >= 6) {
          starts.add(at);
          at = frameEnd(in, at, head);
        } else {
          break;
        }
      }
    } catch (EOFException e) {
      // The last frame is cut off; whoever reads it says so.
      return starts;
    }
    return starts;
  }

  private static long frameEnd(FSDataInputStream in, long start, byte[] head) throws IOException {
    int descriptor = head[4] & 0xFF;
    boolean singleSegment = (descriptor & 0x20) != 0;
    int contentSize = CONTENT_SIZE_BYTES[descriptor >> 6];
    if (contentSize == 0 && singleSegment) {
      contentSize = 1;
    }
    long at = start + 5 + (singleSegment ? 0 : 1) + DICTIONARY_BYTES[descriptor & 3] + contentSize;
    byte[] block = new byte[BLOCK_HEADER_BYTES];
    boolean last = false;
    while (!last) {
      if (readAt(in, at, block) < BLOCK_HEADER_BYTES) {
        throw new EOFException();
      }
      int header = (int) littleEndian(block, 0, BLOCK_HEADER_BYTES);
      last = (header & 1) != 0;
      int type = header >> 1 & 3;
      at += BLOCK_HEADER_BYTES + (type == RLE_BLOCK ? 1 : header >> 3);
    }
    boolean checksum = (descriptor & 4) != 0;
    return at + (checksum ? 4 : 0);
  }

  private static int readAt(FSDataInputStream in, long at, byte[] bytes) throws IOException {
    in.seek(at);
    return in.readNBytes(bytes, 0, bytes.length);
  }

  private static long littleEndian(byte[] bytes, int from, int count) {
    long value = 0;
    for (int i = count - 1; i >= 0; i--) {
      value = value << 8 | (bytes[from + i] & 0xFF);
    }
    return value;
  }
}
