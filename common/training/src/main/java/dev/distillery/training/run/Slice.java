package dev.distillery.training.run;

import java.io.Externalizable;
import java.io.IOException;
import java.io.ObjectInput;
import java.io.ObjectOutput;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/**
 * Values of a flat address space on their way between JVMs, written in blocks of raw bytes: Java's
 * own serialization takes floats one by one.
 */
final class Slice implements Externalizable {
  private static final long serialVersionUID = 1L;
  private static final int BLOCK = 1 << 16;

  private float[] values;

  /** For what reads one. */
  public Slice() {
    this(new float[0]);
  }

  /** Takes the values over. */
  Slice(float[] values) {
    this.values = values;
  }

  float[] values() {
    return values;
  }

  @Override
  public void writeExternal(ObjectOutput out) throws IOException {
    out.writeInt(values.length);
    byte[] block = new byte[Math.min(BLOCK, values.length) * Float.BYTES];
    FloatBuffer floats = floats(block);
    for (int at = 0; at < values.length; at += BLOCK) {
      int count = Math.min(BLOCK, values.length - at);
      floats.clear().put(values, at, count);
      out.write(block, 0, count * Float.BYTES);
    }
  }

  @Override
  public void readExternal(ObjectInput in) throws IOException {
    values = new float[in.readInt()];
    byte[] block = new byte[Math.min(BLOCK, values.length) * Float.BYTES];
    FloatBuffer floats = floats(block);
    for (int at = 0; at < values.length; at += BLOCK) {
      int count = Math.min(BLOCK, values.length - at);
      in.readFully(block, 0, count * Float.BYTES);
      floats.clear().get(values, at, count);
    }
  }

  private static FloatBuffer floats(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }
}
