package dev.distillery.spark.warehouse;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * One row of {@link Tables#DOCUMENTS}, with its codec.
 *
 * @param id see {@link StableIds}
 * @param url where it was found
 * @param score quality
 * @param language ISO 639-1 code
 */
public record DocumentRow(
    String id,
    String text,
    Optional<String> url,
    OptionalDouble score,
    Optional<String> language,
    String source,
    String license,
    List<Attribution> attribution) {

  /** The row in the schema of {@link Tables#DOCUMENTS}. */
  public Row toRow() {
    return RowFactory.create(
        id,
        text,
        url.orElse(null),
        score.isPresent() ? (Object) score.getAsDouble() : null,
        language.orElse(null),
        source,
        license,
        Attribution.toRows(attribution));
  }
}
