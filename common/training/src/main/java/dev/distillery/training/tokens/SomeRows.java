package dev.distillery.training.tokens;

import java.io.Serializable;

/**
 * Some rows of others, drawn from a seed: of two numbers the rows of the smaller are among those of
 * the larger. They are the same in every epoch.
 *
 * @param rows to draw from
 * @param size how many, at most as many as there are
 * @param seed of the draw
 */
public record SomeRows(TokenRows rows, long size, long seed) implements TokenRows, Serializable {
  public SomeRows {
    if (size < 1 || size > rows.size()) {
      throw new IllegalArgumentException(
          "Of %s rows %s cannot be drawn".formatted(rows.size(), size));
    }
  }

  @Override
  public TokenSequence row(long index) {
    if (index < 0 || index >= size) {
      throw new IndexOutOfBoundsException("Row %s of %s".formatted(index, size));
    }
    return rows.row(Permutation.at(index, rows.size(), seed));
  }
}
