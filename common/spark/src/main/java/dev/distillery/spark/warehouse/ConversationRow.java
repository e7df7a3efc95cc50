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
 */
public record ConversationRow(
    String id,
    List<Message> messages,
    Optional<String> language,
    Optional<String> split,
    String source,
    String license,
    List<Attribution> attribution) {

  /** The row in the schema of {@link Tables#CONVERSATIONS}. */
  public Row toRow() {
    return RowFactory.create(
        id,
        messages(messages),
        language.orElse(null),
        split.orElse(null),
        source,
        license,
        Attribution.toRows(attribution));
  }

  /** A column of messages. */
  static Row[] messages(List<Message> messages) {
    return messages.stream()
        .map(message -> RowFactory.create(message.role(), message.content()))
        .toArray(Row[]::new);
  }
}
