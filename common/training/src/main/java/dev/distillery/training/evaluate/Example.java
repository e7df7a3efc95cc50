package dev.distillery.training.evaluate;

import java.io.Serializable;

/**
 * A row of a pool of shots.
 *
 * @param id of the row
 * @param row as JSON
 */
public record Example(String id, String row) implements Serializable {
  private static final long serialVersionUID = 1L;

  /** Most that a pool keeps: of a larger table it has a sample. */
  public static final int MOST = 1000;
}
