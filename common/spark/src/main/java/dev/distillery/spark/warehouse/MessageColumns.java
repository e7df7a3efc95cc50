package dev.distillery.spark.warehouse;

import static org.apache.spark.sql.functions.array_union;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.forall;
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
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.run.JobException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
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
      new StructType()
          .add("messages", MessageRows.TYPE)
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("unread", new ArrayType(DataTypes.StringType, false));

  /** The tables' own names of roles. */
  private static final Object[] ROLES = {
    Roles.SYSTEM, Roles.USER, Roles.ASSISTANT, Roles.TOOL,
  };

  /** A row's names beyond this many are not kept. */
  private static final int MAX_UNREAD = 20;

  private MessageColumns() {}

  /**
   * The messages of a column.
   *
   * @param messages in their shape; null where they cannot be read
   * @param rule that refuses them, else null
   * @param detail what was found, else null
   * @param unread names of members that nothing reads, though they may say something; or null
   */
  record Read(Column messages, Column rule, Column detail, Column unread) {
    /** What {@link #read} made, in a column of its own. */
    static Read of(Column found) {
      return new Read(
          found.getField("messages"),
          found.getField("rule"),
          found.getField("detail"),
          found.getField("unread"));
    }

    /** What is found in this column or, where nothing is wrong here, in another. */
    Read or(Read other) {
      return new Read(
          messages,
          coalesce(rule, other.rule),
          coalesce(detail, other.detail),
          coalesce(array_union(unread, other.unread), unread, other.unread));
    }
  }

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
   * The column in its shape, as {@link Read#of} takes it apart. Messages that have some of the
   * members in their types, as every run's do, are only put in order; all else is read as JSON.
   */
  static Column read(String name, DataType found) {
    UserDefinedFunction parse =
        udf((UDF1<@Nullable String, @Nullable Row>) MessageColumns::parse, READ);
    Column read =
        found.equals(DataTypes.NullType)
            ? lit(null).cast(READ)
            : parse.apply(found.equals(DataTypes.StringType) ? col(name) : to_json(col(name)));
    if (found instanceof ArrayType array
        && array.elementType() instanceof StructType struct
        && plain(struct)) {
      Column inForm = forall(col(name), message -> inForm(message, struct));
      Column ordered = transform(col(name), message -> ordered(message, struct));
      return when(inForm, inOrder(ordered)).otherwise(read);
    }
    return read;
  }

  /** A value of {@link #READ} of which nothing is to be said. */
  private static Column inOrder(Column messages) {
    return struct(messages.as("messages"), nothing("rule"), nothing("detail"), nothing("unread"));
  }

  private static Column nothing(String member) {
    return lit(null).cast(READ.apply(member).dataType()).as(member);
  }

  /** The column, where a row that cannot be read ends the job. */
  static Column orFail(Read read, String name, String origin) {
    UserDefinedFunction fail =
        udf(
            (UDF1<@Nullable String, @Nullable Row[]>)
                detail -> {
                  throw JobException.invalid(origin + ": column '" + name + "': " + detail);
                },
            MessageRows.TYPE);
    return when(read.detail().isNull(), read.messages()).otherwise(fail.apply(read.detail()));
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

  /** Whether a message has the table's own name of a role, and says or calls something. */
  private static Column inForm(Column message, StructType found) {
    Column says =
        message
            .getField("content")
            .isNotNull()
            .or(member(message, "tool_calls", found).isNotNull());
    return coalesce(message.getField("role").isin(ROLES).and(says), lit(false));
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
    var unread = new TreeSet<String>();
    try {
      JsonNode turns = JSON.readTree(json);
      if (turns == null || !turns.isArray()) {
        return refused("unknown_format", "The messages are no list: " + shortened(json));
      }
      var messages = new ArrayList<Message>();
      for (JsonNode turn : turns) {
        JsonNode message = turn.isTextual() ? JSON.readTree(turn.textValue()) : turn;
        messages.add(MessageJson.read(message, messages.size(), unread::add));
      }
      String[] names = unread.stream().limit(MAX_UNREAD).toArray(String[]::new);
      return RowFactory.create(
          MessageRows.of(messages), null, null, names.length == 0 ? null : names);
    } catch (MessageJson.UnreadableException e) {
      return refused(e.rule(), e.detail());
    } catch (JsonProcessingException e) {
      return refused("invalid_json", "The messages are no JSON: " + e.getOriginalMessage());
    }
  }

  private static Row refused(String rule, String detail) {
    return RowFactory.create(null, rule, detail, null);
  }

  private static String shortened(String text) {
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }
}
