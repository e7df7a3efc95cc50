package dev.distillery.core.filter;

import java.io.Serializable;

/** A rule over one row. The same row gets the same verdict, whatever others there are. */
@FunctionalInterface
public interface RowRule extends Serializable {
  /** Keeps the row, changes it, or drops it. */
  Judged judge(RowText row);
}
