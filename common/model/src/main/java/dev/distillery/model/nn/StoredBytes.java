package dev.distillery.model.nn;

import dev.distillery.model.format.TensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A stored matrix in the host's memory.
 *
 * @param buffer little-endian, from position 0 on
 * @param free frees the buffer, where it is not a view or the heap's
 */
public record StoredBytes(TensorType type, int rows, int columns, ByteBuffer buffer, Runnable free)
    implements Stored {
  public StoredBytes {
    if (columns % type.blockValues() != 0
        || buffer.remaining() != type.bytes((long) rows * columns)) {
      throw new IllegalArgumentException(
          "A matrix of %s x %s in %s has %s bytes"
              .formatted(rows, columns, type, buffer.remaining()));
    }
    buffer = buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Where a row begins. */
  public int at(int row) {
    return Math.toIntExact(type.bytes((long) row * columns));
  }

  @Override
  public void close() {
    free.run();
  }
}
