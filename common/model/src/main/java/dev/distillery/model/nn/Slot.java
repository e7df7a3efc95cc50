package dev.distillery.model.nn;

import java.util.List;
import java.util.function.UnaryOperator;

/**
 * One matrix of a {@link ParameterSpace}. Projections of the same input lie in one slot, below each
 * other, so that one product computes them.
 *
 * @param name of the slot, as the decoder asks for it
 * @param rows rows of all parts together
 * @param columns values in a row
 * @param parts the tensors of a model's file that lie here, from the first row on
 * @param decayed whether weight decay applies: matrices yes; gains and biases no
 */
public record Slot(String name, int rows, int columns, List<Part> parts, boolean decayed) {
  /**
   * A tensor of a model's file.
   *
   * @param name Hugging Face's or PEFT's name
   * @param firstRow where it begins in the slot
   * @param rows its rows
   */
  public record Part(String name, int firstRow, int rows) {}

  public Slot {
    parts = List.copyOf(parts);
  }

  /** A slot of one tensor, named as it. */
  static Slot single(String name, int rows, int columns) {
    return new Slot(name, rows, columns, List.of(new Part(name, 0, rows)), rows > 1);
  }

  /** The same with a prefix before all names. */
  Slot prefixed(String prefix) {
    return renamed(name -> prefix + name);
  }

  /** The same without so many characters at the beginning of all names. */
  Slot unprefixed(int length) {
    return renamed(name -> name.substring(length));
  }

  private Slot renamed(UnaryOperator<String> by) {
    return new Slot(
        by.apply(name),
        rows,
        columns,
        parts.stream()
            .map(part -> new Part(by.apply(part.name()), part.firstRow(), part.rows()))
            .toList(),
        decayed);
  }

  /** Number of values. */
  public long size() {
    return (long) rows * columns;
  }
}
