package dev.distillery.model.nn;

import dev.distillery.model.format.TensorType;

/**
 * A frozen weight matrix in the form of a file, blocks or half precision, that {@link
 * Kernels#widen} turns into float32 a few rows at a time. It is never written. Only the {@link
 * Kernels} that made it can read it.
 */
public interface Stored extends AutoCloseable {
  /** The form. */
  TensorType type();

  /** Rows, as the file has them. */
  int rows();

  /** Values in a row. */
  int columns();

  /** Bytes that it takes. */
  default long bytes() {
    return type().bytes((long) rows() * columns());
  }

  /** Frees what this matrix owns; nothing where it is a view of a mapped file. */
  @Override
  void close();
}
