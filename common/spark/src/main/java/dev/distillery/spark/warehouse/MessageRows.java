package dev.distillery.spark.warehouse;

import dev.distillery.core.dialogue.Message;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * A column of messages, with its codec. Members are added at the struct's end only, so that runs of
 * before are read beside those of after.
 */
public final class MessageRows {
  /** One message. */
  public static final StructType MESSAGE =
      new StructType()
          .add("role", DataTypes.StringType, true, "system, user, assistant or tool")
          .add("content", DataTypes.StringType, true, "What was said")
          .add("name", DataTypes.StringType, true, "Who said it, or the tool that answers")
          .add("weight", DataTypes.DoubleType, true, "How much the turn counts in training")
          .add("tool_calls", DataTypes.StringType, true, "Calls that the turn makes, a JSON array")
          .add("tool_call_id", DataTypes.StringType, true, "The call that a tool's turn answers");

  /** The column's type. */
  public static final ArrayType TYPE = new ArrayType(MESSAGE, true);

  private MessageRows() {}

  /** The column's value. */
  public static Row[] of(List<Message> messages) {
    return messages.stream()
        .map(
            message ->
                RowFactory.create(
                    message.role(),
                    message.content(),
                    message.name().orElse(null),
                    message.weight().isPresent() ? message.weight().getAsDouble() : null,
                    message.toolCalls().orElse(null),
                    message.toolCallId().orElse(null)))
        .toArray(Row[]::new);
  }

  /**
   * The messages of a column in the shape of {@link #TYPE}, as {@link TableReader} gives it.
   *
   * @throws NullPointerException if a role or content is null
   */
  public static List<Message> read(List<Row> column) {
    return column.stream()
        .map(
            row ->
                new Message(
                    row.getString(0),
                    row.getString(1),
                    Optional.ofNullable(row.getString(2)),
                    row.isNullAt(3) ? OptionalDouble.empty() : OptionalDouble.of(row.getDouble(3)),
                    Optional.ofNullable(row.getString(4)),
                    Optional.ofNullable(row.getString(5))))
        .toList();
  }
}
