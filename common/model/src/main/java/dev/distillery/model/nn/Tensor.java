package dev.distillery.model.nn;

/**
 * A row-major matrix of values: a view of a {@link Memory}. A vector is a matrix of one row.
 *
 * @param memory where the values lie
 * @param offset index of the first value in the memory
 * @param rows number of rows
 * @param columns values in a row
 * @param stride distance between the beginnings of two rows, at least {@code columns}
 */
public record Tensor(Memory memory, long offset, int rows, int columns, int stride) {
  public Tensor {
    long end = rows == 0 ? offset : offset + (long) (rows - 1) * stride + columns;
    if (offset < 0 || rows < 0 || columns < 1 || stride < columns || end > memory.size()) {
      throw new IllegalArgumentException(
          "A view of %s x %s (stride %s) at %s does not fit a memory of %s values"
              .formatted(rows, columns, stride, offset, memory.size()));
    }
  }

  /** A contiguous matrix at {@code offset}. */
  public Tensor(Memory memory, long offset, int rows, int columns) {
    this(memory, offset, rows, columns, columns);
  }

  /** Rows {@code [from, from + count)}. */
  public Tensor rows(int from, int count) {
    return new Tensor(memory, offset + (long) from * stride, count, columns, stride);
  }

  /** Columns {@code [from, from + count)}. */
  public Tensor columns(int from, int count) {
    return new Tensor(memory, offset + from, rows, count, stride);
  }

  /** The same values as one row; they must be contiguous. */
  public Tensor asRow() {
    if (!contiguous()) {
      throw new IllegalArgumentException("A strided view is not one row: " + this);
    }
    return new Tensor(memory, offset, 1, Math.toIntExact(size()));
  }

  /** Number of values. */
  public long size() {
    return (long) rows * columns;
  }

  /** Whether no gap lies between two rows. */
  public boolean contiguous() {
    return stride == columns || rows <= 1;
  }

  /** A copy of the values, row by row. */
  public float[] toArray() {
    float[] values = new float[Math.toIntExact(size())];
    read(values);
    return values;
  }

  /** A copy of the values of one column. */
  public double[] column(int column) {
    double[] whole = new double[rows * stride];
    memory.read(offset, whole, 0, rows == 0 ? 0 : (rows - 1) * stride + columns);
    double[] values = new double[rows];
    for (int r = 0; r < rows; r++) {
      values[r] = whole[r * stride + column];
    }
    return values;
  }

  /** Copies the values into the beginning of {@code into}, row by row. */
  public void read(float[] into) {
    if (contiguous()) {
      memory.read(offset, into, 0, Math.toIntExact(size()));
      return;
    }
    for (int r = 0; r < rows; r++) {
      memory.read(offset + (long) r * stride, into, r * columns, columns);
    }
  }

  /** Sets the values, row by row. */
  public void write(float[] from) {
    if (contiguous()) {
      memory.write(offset, from, 0, Math.toIntExact(size()));
      return;
    }
    for (int r = 0; r < rows; r++) {
      memory.write(offset + (long) r * stride, from, r * columns, columns);
    }
  }
}
