package dev.distillery.jobs.report;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.array_join;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.transform;

import dev.distillery.spark.warehouse.MessageRows;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;

/**
 * A column that holds texts: strings, or messages, whose contents are one text.
 *
 * @param field of the table
 */
record TextColumn(StructField field) {
  static boolean isString(StructField field) {
    return field.dataType().sameType(DataTypes.StringType);
  }

  static boolean isMessages(StructField field) {
    return field.dataType().sameType(MessageRows.TYPE);
  }

  String name() {
    return field.name();
  }

  /** Its text; empty where it is null. */
  Column text() {
    Column column = named(field.name());
    Column text =
        isMessages(field)
            ? array_join(transform(column, message -> message.getField("content")), "\n")
            : column;
    return coalesce(text, lit(""));
  }
}
