package dev.distillery.model.format;

import java.util.Arrays;
import java.util.Optional;

/**
 * How a tensor's values are stored, little-endian. The quantised types are ggml's: a row is cut
 * into blocks of {@link #blockValues} values, each of {@link #blockBytes} bytes.
 */
public enum TensorType {
  F64(28, "F64", 1, 8),
  F32(0, "F32", 1, 4),
  F16(1, "F16", 1, 2),
  BF16(30, "BF16", 1, 2),
  Q4_0(2, "", 32, 18),
  Q4_1(3, "", 32, 20),
  Q5_0(6, "", 32, 22),
  Q5_1(7, "", 32, 24),
  Q8_0(8, "", 32, 34),
  Q4_K(12, "", 256, 144),
  Q5_K(13, "", 256, 176),
  Q6_K(14, "", 256, 210);

  private final int ggmlId;
  private final String safetensorsName;
  private final int blockValues;
  private final int blockBytes;

  TensorType(int ggmlId, String safetensorsName, int blockValues, int blockBytes) {
    this.ggmlId = ggmlId;
    this.safetensorsName = safetensorsName;
    this.blockValues = blockValues;
    this.blockBytes = blockBytes;
  }

  /** The number of this type in a GGUF file. */
  int ggmlId() {
    return ggmlId;
  }

  /** Values in one block; 1 for plain numbers. */
  public int blockValues() {
    return blockValues;
  }

  /** Bytes of one block. */
  public int blockBytes() {
    return blockBytes;
  }

  /** Bytes of {@code values} values, a multiple of {@link #blockValues}. */
  public long bytes(long values) {
    return Math.multiplyExact(values / blockValues, (long) blockBytes);
  }

  /** Whether values share scales in blocks. */
  public boolean quantised() {
    return blockValues > 1;
  }

  static Optional<TensorType> ofGgml(long id) {
    return Arrays.stream(values()).filter(t -> t.ggmlId == id).findFirst();
  }

  static Optional<TensorType> ofSafetensors(String name) {
    return Arrays.stream(values())
        .filter(t -> !t.quantised() && t.safetensorsName.equals(name))
        .findFirst();
  }
}
