package dev.distillery.model.nn;

/**
 * A packed matrix that lies as float32 rows, one an output.
 *
 * @param weights [out, in]
 * @param owned whether closing frees them, or they are a view
 */
public record PackedRows(Tensor weights, boolean owned) implements Packed {
  @Override
  public int rows() {
    return weights.rows();
  }

  @Override
  public int columns() {
    return weights.columns();
  }

  @Override
  public long bytes() {
    return weights.size() * Float.BYTES;
  }

  @Override
  public void close() {
    if (owned) {
      weights.memory().close();
    }
  }
}
