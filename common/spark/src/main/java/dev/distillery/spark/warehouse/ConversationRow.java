package dev.distillery.spark.warehouse;

import dev.distillery.core.dialogue.Message;
import java.util.List;
import java.util.Optional;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * One row of {@link Tables#CONVERSATIONS}, with its codec.
 *
 * @param id see {@link StableIds}
 * @param messages turns in order
 * @param language ISO 639-1 code
 * @param split train, validation or test
 * @param tools a JSON array of the definitions that the template gets
 */
public record ConversationRow(
    String id,
    List<Message> messages,
    Optional<String> language,
    Optional<String> split,
    String source,
    String license,
    List<Attribution> attribution,
    Optional<String> tools) {

  /** The row in the schema of {@link Tables#CONVERSATIONS}. */
  public Row toRow() {
    return RowFactory.create(
        id,
        MessageRows.of(messages),
        language.orElse(null),
        split.orElse(null),
        source,
        license,
        Attribution.toRows(attribution),
        tools.orElse(null));
  }
}
