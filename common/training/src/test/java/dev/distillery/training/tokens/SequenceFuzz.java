package dev.distillery.training.tokens;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * A row of a token table, given its checksum: a row that is whole, and the same once it was written
 * and read again, or an {@link IOException}.
 */
public final class SequenceFuzz {
  private SequenceFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    var sum = new CRC32();
    sum.update(data);
    byte[] row = Arrays.copyOf(data, data.length + Integer.BYTES);
    ByteBuffer.wrap(row).putInt(data.length, (int) sum.getValue());
    try {
      check(SequenceCodec.decode(row));
    } catch (IOException e) {
      if (String.valueOf(e.getMessage()).isEmpty()) {
        throw new IllegalStateException("A refusal without words", e);
      }
    }
  }

  static void check(TokenSequence row) throws IOException {
    int[] starts = row.starts();
    for (int i = 1; i < starts.length; i++) {
      if (starts[i] < starts[i - 1] || starts[i] >= row.ids().length) {
        throw new IllegalStateException("Documents that begin at " + Arrays.toString(starts));
      }
    }
    byte[] written = SequenceCodec.encode(row);
    if (!Arrays.equals(written, SequenceCodec.encode(SequenceCodec.decode(written)))) {
      throw new IllegalStateException("A row that changes as it is written");
    }
  }
}
