package dev.distillery.jobs.dedup;

import dev.distillery.core.text.TokenList;
import java.util.Arrays;

/**
 * Packs token lists with their places into arrays of a size that Spark shuffles well: one array
 * holds many lists, so the cost of an object is paid once for all of them.
 */
final class TokenListCodec {
  private static final int CHUNK = 1 << 14;
  private static final int HEADER = 5;

  private TokenListCodec() {}

  /** What is done with a list that was unpacked. */
  @FunctionalInterface
  interface Visitor {
    void visit(long ordinal, TokenList list);
  }

  /** Gathers lists into arrays. */
  static final class Packer {
    private int[] buffer = new int[256];
    private int size;

    /** Adds a list; true if the array is large enough to be taken. */
    boolean add(long ordinal, TokenList list) {
      int sequence = list.sequence().length;
      int elements = list.elements().length;
      int end = size + HEADER + sequence + elements;
      if (end > buffer.length) {
        buffer = Arrays.copyOf(buffer, Math.max(end, buffer.length * 2));
      }
      buffer[size] = (int) (ordinal >>> 32);
      buffer[size + 1] = (int) ordinal;
      buffer[size + 2] = list.length();
      buffer[size + 3] = sequence;
      buffer[size + 4] = elements;
      System.arraycopy(list.sequence(), 0, buffer, size + HEADER, sequence);
      System.arraycopy(list.elements(), 0, buffer, size + HEADER + sequence, elements);
      size = end;
      return size >= CHUNK;
    }

    boolean isEmpty() {
      return size == 0;
    }

    /** The array so far; the next one begins. */
    int[] take() {
      int[] taken = Arrays.copyOf(buffer, size);
      size = 0;
      return taken;
    }
  }

  /** Every list of a packed array. */
  static void unpack(int[] packed, Visitor visitor) {
    for (int at = 0; at < packed.length; ) {
      long ordinal = (long) packed[at] << 32 | Integer.toUnsignedLong(packed[at + 1]);
      int from = at + HEADER;
      int middle = from + packed[at + 3];
      int end = middle + packed[at + 4];
      int[] sequence = Arrays.copyOfRange(packed, from, middle);
      int[] elements = Arrays.copyOfRange(packed, middle, end);
      visitor.visit(ordinal, TokenList.of(packed[at + 2], sequence, elements));
      at = end;
    }
  }
}
