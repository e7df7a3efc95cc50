package dev.distillery.model.format;

import java.util.List;

/**
 * A named tensor's shape.
 *
 * @param name in Hugging Face's naming
 * @param shape outermost dimension first; one or two dimensions, each positive
 */
public record TensorSpec(String name, List<Integer> shape) {
  public TensorSpec {
    shape = List.copyOf(shape);
  }

  /** Number of values. */
  public long elements() {
    return shape.stream().mapToLong(Integer::longValue).reduce(1, Math::multiplyExact);
  }

  /** The outermost dimension of a matrix; 1 for a vector. */
  public int rows() {
    return shape.size() == 1 ? 1 : shape.get(0);
  }

  /** The innermost dimension: values in a row. */
  public int columns() {
    return shape.get(shape.size() - 1);
  }
}
