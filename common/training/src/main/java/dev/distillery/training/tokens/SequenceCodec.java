package dev.distillery.training.tokens;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.zip.CRC32;

/**
 * One row of tokens as bytes, as a part of a token table holds it (version 3). Numbers are
 * big-endian; a count is written seven bits at a time, the lowest first, the eighth bit set where
 * more follow.
 *
 * <ol>
 *   <li>count: tokens T
 *   <li>byte: bytes of an id, 2 or 4, the same for all of the row
 *   <li>T ids
 *   <li>count: runs of equal weights; of each, count: tokens of the run, float32: the weight
 *   <li>count: documents; of each but the first, count: tokens from the start before it
 *   <li>count: the class and 1 more; 0 where there is none
 *   <li>count: figures; each as float32
 *   <li>int32: CRC-32 of all before it
 * </ol>
 */
final class SequenceCodec {
  private static final int CHECKSUM = 4;

  private SequenceCodec() {}

  static byte[] encode(TokenSequence sequence) {
    int[] ids = sequence.ids();
    var bytes = new ByteArrayOutputStream(4 * ids.length + 32);
    var out = new DataOutputStream(bytes);
    try {
      writeCount(out, ids.length);
      boolean narrow = true;
      for (int id : ids) {
        narrow &= id <= 0xFFFF;
      }
      out.writeByte(narrow ? 2 : 4);
      for (int id : ids) {
        if (narrow) {
          out.writeShort(id);
        } else {
          out.writeInt(id);
        }
      }
      writeWeights(out, sequence.weights());
      int[] starts = sequence.starts();
      writeCount(out, starts.length);
      for (int i = 1; i < starts.length; i++) {
        writeCount(out, starts[i] - starts[i - 1]);
      }
      writeCount(out, sequence.label() + 1);
      writeCount(out, sequence.figures().length);
      for (float figure : sequence.figures()) {
        out.writeFloat(figure);
      }
      out.writeInt(checksum(bytes.toByteArray(), bytes.size()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void writeWeights(DataOutputStream out, float[] weights) throws IOException {
    int runs = 0;
    for (int t = 0; t < weights.length; t++) {
      runs += t == 0 || weights[t] != weights[t - 1] ? 1 : 0;
    }
    writeCount(out, runs);
    for (int t = 0; t < weights.length; ) {
      int end = t + 1;
      while (end < weights.length && weights[end] == weights[t]) {
        end++;
      }
      writeCount(out, end - t);
      out.writeFloat(weights[t]);
      t = end;
    }
  }

  /**
   * The row.
   *
   * @throws IOException if the bytes are not those of one row, all of it
   */
  static TokenSequence decode(byte[] bytes) throws IOException {
    int length = bytes.length - CHECKSUM;
    var in = new DataInputStream(new ByteArrayInputStream(bytes));
    if (length < 1 || checksum(bytes, length) != lastInt(bytes)) {
      throw new IOException("the row's checksum does not fit its bytes");
    }
    int[] ids = new int[readCount(in, bytes.length)];
    int width = in.readByte();
    for (int t = 0; t < ids.length; t++) {
      ids[t] = width == 2 ? in.readUnsignedShort() : in.readInt();
      if (ids[t] < 0) {
        throw new IOException("an id of the row is " + ids[t]);
      }
    }
    float[] weights = new float[ids.length];
    int runs = readCount(in, ids.length);
    int weighted = 0;
    for (int r = 0; r < runs; r++) {
      int count = readCount(in, ids.length - weighted);
      Arrays.fill(weights, weighted, weighted + count, in.readFloat());
      weighted += count;
    }
    int[] starts = new int[readCount(in, ids.length)];
    for (int i = 1; i < starts.length; i++) {
      starts[i] = starts[i - 1] + readCount(in, ids.length - 1 - starts[i - 1]);
    }
    int label = readCount(in, Integer.MAX_VALUE) - 1;
    float[] figures = new float[readCount(in, bytes.length / Float.BYTES)];
    for (int i = 0; i < figures.length; i++) {
      figures[i] = in.readFloat();
    }
    boolean whole = starts.length > 0 && weighted == ids.length && in.available() == CHECKSUM;
    if (!whole || (width != 2 && width != 4)) {
      throw new IOException("the row's counts do not fit its bytes");
    }
    return new TokenSequence(ids, weights, starts, label, figures);
  }

  private static int lastInt(byte[] bytes) {
    int at = bytes.length - CHECKSUM;
    return (bytes[at] << 24)
        | ((bytes[at + 1] & 0xFF) << 16)
        | ((bytes[at + 2] & 0xFF) << 8)
        | (bytes[at + 3] & 0xFF);
  }

  private static int checksum(byte[] bytes, int length) {
    var crc = new CRC32();
    crc.update(bytes, 0, length);
    return (int) crc.getValue();
  }

  private static void writeCount(DataOutputStream out, int count) throws IOException {
    int rest = count;
    while (rest > 0x7F) {
      out.writeByte(0x80 | (rest & 0x7F));
      rest >>>= 7;
    }
    out.writeByte(rest);
  }

  private static int readCount(DataInputStream in, int most) throws IOException {
    long count = 0;
    for (int shift = 0; shift < 35; shift += 7) {
      int part = in.readUnsignedByte();
      count |= (long) (part & 0x7F) << shift;
      if (part < 0x80) {
        if (count > most) {
          break;
        }
        return (int) count;
      }
    }
    throw new IOException("a count of the row is beyond " + most);
  }
}
