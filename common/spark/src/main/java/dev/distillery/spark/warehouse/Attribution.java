package dev.distillery.spark.warehouse;

import java.io.Serializable;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * Who is to be named for a piece of a row.
 *
 * @param author who wrote it; empty where the source does not say
 * @param url where it is
 * @param date when it was written, ISO 8601; empty where the source does not say
 * @param license SPDX expression of this piece
 */
public record Attribution(String author, String url, String date, String license)
    implements Serializable {
  /** The column of a row's attributions. */
  static Row[] toRows(List<Attribution> attributions) {
    return attributions.stream()
        .map(one -> RowFactory.create(one.author, one.url, one.date, one.license))
        .toArray(Row[]::new);
  }
}
