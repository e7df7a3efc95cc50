package dev.distillery.spark.warehouse;

import org.apache.spark.sql.types.StructField;

/** The page about the tables, made from their schemas, so that it cannot say anything else. */
public final class TableDocs {
  private TableDocs() {}

  /** Markdown of every canonical table. */
  public static String markdown() {
    var page =
        new StringBuilder(
            """
            # The tables

            Made from the schemas in `Tables`; a test holds this page to them. A star marks a column that is never null.
            Columns are added, never renamed or retyped.

            A run's rows lie under `<warehouse>/<table>/run_id=<id>/` as zstd Parquet; `<warehouse>/_runs/<id>.json` is the run's record
            and is written last. `submit/distillery show <table> --sql duckdb|spark|trino` prints the query for the newest run.
            """);
    for (Table table : Tables.all()) {
      page.append("\n## ").append(table.name()).append("\n\n");
      page.append(table.description()).append("\n\n");
      page.append("| column | type | meaning |\n|---|---|---|\n");
      for (StructField field : table.schema().fields()) {
        page.append("| `")
            .append(field.name())
            .append(field.nullable() ? "`" : "`*")
            .append(" | ")
            .append(field.dataType().simpleString())
            .append(" | ")
            .append(field.getComment().getOrElse(() -> ""))
            .append(" |\n");
      }
    }
    return page.toString();
  }
}
