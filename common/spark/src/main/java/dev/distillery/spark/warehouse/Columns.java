package dev.distillery.spark.warehouse;

import org.apache.spark.sql.Column;
import org.apache.spark.sql.functions;

/** Columns by their names. */
public final class Columns {
  private Columns() {}

  /**
   * The column of that name. {@link functions#col} takes a dot for a path and an asterisk for all
   * columns; here whatever a file calls its columns is a name, backticks too.
   */
  public static Column named(String name) {
    return functions.col("`" + name.replace("`", "``") + "`");
  }
}
