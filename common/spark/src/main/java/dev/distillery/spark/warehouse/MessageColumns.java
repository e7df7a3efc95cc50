package dev.distillery.spark.warehouse;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.exists;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.transform;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Brings a column of messages into the shape of {@link MessageRows#TYPE}: runs of before this
 * library had further members, and files of one's own in the forms that {@link MessageJson} knows.
 */
final class MessageColumns {
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION).build();

  private static final StructType READ =
      new StructType().add("messages", MessageRows.TYPE).add("problem", DataTypes.StringType);

  private MessageColumns() {}

  /** The messages of a column, and what is wrong with those that cannot be read. */
  record Read(Column messages, Column problem) {}

  /** Whether a column of that type may hold messages at all. */
  static boolean readable(DataType found) {
    return found.equals(DataTypes.NullType)
        || found.equals(DataTypes.StringType)
        || (found instanceof ArrayType array
            && (array.elementType() instanceof StructType
                || array.elementType().equals(DataTypes.StringType)
                || array.elementType().equals(DataTypes.NullType)));
  }

  /**
   * The column in its shape. A struct that holds some of the members in their types, as every run
   * does, is only put in order; all else is read as JSON.
   */
  static Read read(String name, DataType found) {
    if (found instanceof ArrayType array
        && array.elementType() instanceof StructType struct
        && plain(struct)) {
      return new Read(
          transform(col(name), message -> ordered(message, struct)),
          when(
              exists(col(name), message -> blank(message, struct)),
              lit("A message has no role or no content")));
    }
    Column json = found.equals(DataTypes.StringType) ? col(name) : to_json(col(name));
    UserDefinedFunction parse =
        udf((UDF1<@Nullable String, @Nullable Row>) MessageColumns::parse, READ);
    Column read = found.equals(DataTypes.NullType) ? lit(null).cast(READ) : parse.apply(json);
    return new Read(read.getField("messages"), read.getField("problem"));
  }

  /** The column, where a row that cannot be read ends the job. */
  static Column orFail(Read read, String name, String origin) {
    UserDefinedFunction fail =
        udf(
            (UDF1<@Nullable String, @Nullable Row[]>)
                problem -> {
                  throw JobException.invalid(origin + ": column '" + name + "': " + problem);
                },
            MessageRows.TYPE);
    return when(read.problem().isNull(), read.messages()).otherwise(fail.apply(read.problem()));
  }

  /** Members of the structs that are not read. */
  static List<String> unread(DataType found) {
    return found instanceof ArrayType array
            && array.elementType() instanceof StructType struct
            && plain(struct)
        ? List.of()
        : found instanceof ArrayType other && other.elementType() instanceof StructType struct
            ? MessageJson.unread(List.of(struct.fieldNames()))
            : List.of();
  }

  private static boolean plain(StructType struct) {
    List<String> names = List.of(struct.fieldNames());
    return names.contains("role")
        && names.contains("content")
        && Stream.of(struct.fields())
            .allMatch(
                field ->
                    Arrays.asList(MessageRows.MESSAGE.fieldNames()).contains(field.name())
                        && MessageRows.MESSAGE
                            .apply(field.name())
                            .dataType()
                            .sameType(field.dataType()));
  }

  private static Column ordered(Column message, StructType found) {
    var members = new ArrayList<Column>();
    for (StructField field : MessageRows.MESSAGE.fields()) {
      Column member = member(message, field.name(), found);
      // A turn that only calls tools has no words, not unknown ones.
      Column value = field.name().equals("content") ? coalesce(member, lit("")) : member;
      members.add(value.as(field.name(), field.metadata()));
    }
    return struct(members.toArray(Column[]::new));
  }

  private static Column blank(Column message, StructType found) {
    return message
        .getField("role")
        .isNull()
        .or(
            message
                .getField("content")
                .isNull()
                .and(member(message, "tool_calls", found).isNull()));
  }

  private static Column member(Column message, String name, StructType found) {
    return Arrays.asList(found.fieldNames()).contains(name)
        ? message.getField(name)
        : lit(null).cast(MessageRows.MESSAGE.apply(name).dataType());
  }

  private static @Nullable Row parse(@Nullable String json) {
    if (json == null) {
      return null;
    }
    try {
      JsonNode turns = JSON.readTree(json);
      if (turns == null || !turns.isArray()) {
        return problem("The messages are no list: " + shortened(json));
      }
      var messages = new ArrayList<Message>();
      for (JsonNode turn : turns) {
        messages.add(MessageJson.read(turn, messages.size(), unread -> {}));
      }
      return RowFactory.create(MessageRows.of(messages), null);
    } catch (MessageJson.UnreadableException e) {
      return problem(e.detail());
    } catch (JsonProcessingException e) {
      return problem("The messages are no JSON: " + e.getOriginalMessage());
    }
  }

  private static Row problem(String text) {
    return RowFactory.create(null, text);
  }

  private static String shortened(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }
}
