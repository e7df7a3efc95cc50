package dev.distillery.model.cpu;

import dev.distillery.model.nn.Memory;
import dev.distillery.model.nn.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Float32 values outside the heap. They come straight from calloc: JavaCPP's own limits, which
 * follow the heap's size, do not apply, and pages are touched once.
 */
final class CpuMemory implements Memory {
  private static final int ALIGNMENT = 64;

  private final long size;
  private final Pointer block;
  private final ByteBuffer buffer;
  private final long address;
  private boolean closed;

  CpuMemory(long size) {
    this.size = size;
    long bytes = size * Float.BYTES + ALIGNMENT;
    this.block = Pointer.calloc(1, bytes);
    if (block == null || block.isNull()) {
      throw new OutOfMemoryError("No memory for " + size + " float32 values");
    }
    this.address = (block.address() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    BytePointer whole = new BytePointer(block).capacity(bytes);
    this.buffer =
        whole
            .asByteBuffer()
            .position((int) (address - block.address()))
            .slice()
            .order(ByteOrder.LITTLE_ENDIAN);
  }

  static ByteBuffer buffer(Tensor tensor) {
    return ((CpuMemory) tensor.memory()).open();
  }

  static long address(Tensor tensor) {
    return ((CpuMemory) tensor.memory()).address + tensor.offset() * Float.BYTES;
  }

  /** Offset of a tensor's row in its buffer, in bytes. */
  static int at(Tensor tensor, int row) {
    return (int) (tensor.offset() + (long) row * tensor.stride()) * Float.BYTES;
  }

  private ByteBuffer open() {
    if (closed) {
      throw new IllegalStateException("This memory was closed");
    }
    return buffer;
  }

  @Override
  public long size() {
    return size;
  }

  @Override
  public void read(long at, float[] into, int start, int count) {
    open().asFloatBuffer().get((int) at, into, start, count);
  }

  @Override
  public void write(long at, float[] from, int start, int count) {
    open().asFloatBuffer().put((int) at, from, start, count);
  }

  @Override
  public void close() {
    if (!closed) {
      closed = true;
      Pointer.free(block);
    }
  }
}
