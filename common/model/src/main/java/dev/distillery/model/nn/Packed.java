package dev.distillery.model.nn;

/**
 * A weight matrix [out, in] as it lies for decoding: float32 rows or the blocks of a quantised
 * file. Only the {@link Kernels} that made it can read it.
 */
public interface Packed extends AutoCloseable {
  /** Outputs. */
  int rows();

  /** Inputs. */
  int columns();

  /** Bytes that one product reads. */
  long bytes();

  /** The matrix as its kernels made it, where this one only adds ownership. */
  default Packed view() {
    return this;
  }

  /** Frees what this matrix owns; nothing where it is a view of a tensor. */
  @Override
  void close();
}
