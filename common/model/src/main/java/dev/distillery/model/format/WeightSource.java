package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.SortedMap;

/**
 * The named tensors of a model on disk, in Hugging Face's names and layout whatever the file. Files
 * are memory-mapped: nothing is read before it is asked for, and opening a large model costs no
 * memory. Safe for concurrent readers. After {@link #close} every call throws.
 */
public interface WeightSource extends Closeable {
  /**
   * One tensor.
   *
   * @param spec name and shape
   * @param type how the file stores it
   */
  record Weight(TensorSpec spec, TensorType type) {}

  /** Every tensor, by name. */
  SortedMap<String, Weight> weights();

  /**
   * Reads values as float32 into {@code into}, as many as it has room for, from value number {@code
   * start} of the row-major tensor on.
   *
   * @throws ModelFileException if there is no such tensor
   * @throws IndexOutOfBoundsException if the tensor ends before {@code into} is full
   */
  void read(String name, long start, FloatBuffer into) throws IOException;

  /**
   * The stored bytes of whole rows, little-endian and read-only: a view of the mapped file where it
   * holds these rows in this order, else a copy. Under 2 GiB.
   *
   * @throws ModelFileException if there is no such tensor
   * @throws IndexOutOfBoundsException if the rows are not in the tensor
   */
  ByteBuffer rows(String name, int firstRow, int count) throws IOException;

  /** The whole tensor as float32. For small ones: it allocates. */
  default float[] read(String name) throws IOException {
    Weight weight = weights().get(name);
    if (weight == null) {
      throw new ModelFileException("Tensor " + name + " is not in the model");
    }
    float[] values = new float[Math.toIntExact(weight.spec().elements())];
    read(name, 0, FloatBuffer.wrap(values));
    return values;
  }
}
