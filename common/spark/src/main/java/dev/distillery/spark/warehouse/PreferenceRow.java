package dev.distillery.spark.warehouse;

import dev.distillery.core.dialogue.Message;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/**
 * One row of {@link Tables#PREFERENCES}, with its codec.
 *
 * @param id see {@link StableIds}
 * @param groupId shared by the comparisons of one prompt
 * @param margin by how much the chosen answer is better
 * @param prompt the dialogue up to the answer
 * @param split train, validation or test
 * @param tools a JSON array of the definitions that the template gets
 */
public record PreferenceRow(
    String id,
    String groupId,
    OptionalDouble margin,
    List<Message> prompt,
    String chosen,
    String rejected,
    OptionalDouble chosenScore,
    OptionalDouble rejectedScore,
    Optional<String> split,
    String source,
    String license,
    List<Attribution> attribution,
    Optional<String> tools) {

  /** The row in the schema of {@link Tables#PREFERENCES}. */
  public Row toRow() {
    return RowFactory.create(
        id,
        groupId,
        orNull(margin),
        MessageRows.of(prompt),
        chosen,
        rejected,
        orNull(chosenScore),
        orNull(rejectedScore),
        split.orElse(null),
        source,
        license,
        Attribution.toRows(attribution),
        tools.orElse(null));
  }

  private static Object orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }
}
