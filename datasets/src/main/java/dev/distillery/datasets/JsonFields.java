package dev.distillery.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.dialogue.TextJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.regex.Pattern;

/** Takes what a row must hold out of it, and says what is missing. */
public final class JsonFields {
  private static final Pattern NUMBER =
      Pattern.compile(
          "\\s*+[+-]?(\\d{1,400}(\\.\\d{0,400})?|\\.\\d{1,400})([eE][+-]?\\d{1,3})?\\s*+");

  private JsonFields() {}

  /** The first of these fields that holds a text, a number or a truth value, as text. */
  public static Optional<String> text(JsonNode node, String... fields) {
    for (String field : fields) {
      JsonNode value = node.path(field);
      if (value.isValueNode() && !value.isNull()) {
        return Optional.of(value.asText());
      }
    }
    return Optional.empty();
  }

  /** What a field holds, as text: a list or an object as JSON; empty where it is not there. */
  public static Optional<String> value(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(TextJson.text(value));
  }

  /** What a field says, as {@link #value} has it; empty where that is blank. */
  public static Optional<String> said(JsonNode node, String field) {
    return value(node, field).filter(text -> !text.isBlank());
  }

  /** What the first of these fields that is there holds, as text; else the row is rejected. */
  public static String requireValue(JsonNode node, String... fields) throws RejectedRowException {
    return TextJson.text(require(node, fields));
  }

  /**
   * The first of these fields that is there, as {@link #text} has it; without one the row is
   * rejected, and where it is a list or an object too.
   */
  public static String requireText(JsonNode node, String... fields) throws RejectedRowException {
    JsonNode value = require(node, fields);
    if (!value.isValueNode()) {
      throw new RejectedRowException(
          "unsupported_content",
          "The field "
              + String.join(" or ", fields)
              + " is no text but "
              + (value.isArray() ? "a list" : "an object"));
    }
    return value.asText();
  }

  private static JsonNode require(JsonNode node, String... fields) throws RejectedRowException {
    for (String field : fields) {
      if (node.hasNonNull(field)) {
        return node.get(field);
      }
    }
    for (String field : fields) {
      if (node.has(field)) {
        throw new RejectedRowException("null_content", "The field " + field + " is null");
      }
    }
    throw missing(node, String.join(" or ", fields));
  }

  /**
   * A number that a field holds, in figures or as text; empty where the field is missing, null, an
   * empty text or NaN.
   *
   * @throws RejectedRowException with {@code invalid_number} where it holds anything else
   */
  public static OptionalDouble number(JsonNode node, String field) throws RejectedRowException {
    JsonNode value = node.path(field);
    boolean nothing = !MessageJson.saysSomething(value) || value.asText().equals("NaN");
    if (nothing) {
      return OptionalDouble.empty();
    }
    boolean number =
        value.isNumber() || (value.isTextual() && NUMBER.matcher(value.textValue()).matches());
    double found = number ? Double.parseDouble(value.asText()) : Double.NaN;
    if (!Double.isFinite(found)) {
      throw new RejectedRowException(
          "invalid_number", "The field " + field + " is no number: " + shortened(value));
    }
    return OptionalDouble.of(found);
  }

  /**
   * The number that fields of one meaning hold.
   *
   * @throws RejectedRowException as {@link #number}, and where two hold different ones
   */
  public static OptionalDouble oneNumber(JsonNode node, String... fields)
      throws RejectedRowException {
    OptionalDouble one = OptionalDouble.empty();
    for (String field : fields) {
      OptionalDouble number = number(node, field);
      if (one.isPresent() && number.isPresent() && !one.equals(number)) {
        throw new RejectedRowException(
            "invalid_number", "The fields " + String.join(" and ", fields) + " differ");
      }
      one = one.isPresent() ? one : number;
    }
    return one;
  }

  /**
   * A truth value that a field holds, as such, as 0 or 1, or as text; empty where it is missing,
   * null or an empty text.
   *
   * @throws RejectedRowException with {@code invalid_flag} where it holds anything else
   */
  public static Optional<Boolean> flag(JsonNode node, String field) throws RejectedRowException {
    JsonNode value = node.path(field);
    if (!MessageJson.saysSomething(value)) {
      return Optional.empty();
    }
    return switch (value.asText().strip().toLowerCase(Locale.ROOT)) {
      case "true", "yes", "1", "1.0" -> Optional.of(true);
      case "false", "no", "0", "0.0" -> Optional.of(false);
      default ->
          throw new RejectedRowException(
              "invalid_flag",
              "The field " + field + " is neither true nor false: " + shortened(value));
    };
  }

  /** Counts those of the fields as unread that say something, and not what is read. */
  public static void tellBeside(JsonNode node, String read, RowContext context, String... fields) {
    for (String field : fields) {
      if (said(node, field).filter(text -> !text.strip().equals(read.strip())).isPresent()) {
        context.unread(field);
      }
    }
  }

  /** Counts the members of an object as unread that are none of those known. */
  public static void tellUnread(
      JsonNode node, String prefix, RowContext context, Set<String> known) {
    for (var member : node.properties()) {
      if (!known.contains(member.getKey())
          && MessageJson.isUnread(member.getKey(), member.getValue())) {
        context.unread(prefix + member.getKey());
      }
    }
  }

  private static String shortened(JsonNode value) {
    String text = TextJson.text(value);
    return text.length() > 80 ? text.substring(0, 80) + "..." : text;
  }

  /** What a field holds, which may be a list that is written as a JSON text. */
  public static JsonNode list(JsonNode node, String field) {
    JsonNode value = node.path(field);
    return value.isTextual() && value.textValue().stripLeading().startsWith("[")
        ? TextJson.tryParse(value.textValue()).orElse(value)
        : value;
  }

  /** The array that a field holds; without one the row is rejected. */
  public static JsonNode requireArray(JsonNode node, String field) throws RejectedRowException {
    JsonNode value = list(node, field);
    if (MessageJson.saysSomething(value) && !value.isArray()) {
      throw new RejectedRowException(
          "unknown_format", "The field " + field + " is no list: " + shortened(value));
    }
    if (!value.isArray()) {
      throw missing(node, field);
    }
    return value;
  }

  /** The rejection of a row without a field that its format has. */
  public static RejectedRowException missing(JsonNode node, String field) {
    List<String> names = new ArrayList<>();
    node.fieldNames().forEachRemaining(names::add);
    String found = names.size() > 20 ? names.subList(0, 20) + " and more" : names.toString();
    return new RejectedRowException(
        "unknown_format", "Expected " + field + "; found the fields " + found);
  }

  /** The row's messages in the shapes that {@link MessageJson} knows. */
  public static List<Message> messages(JsonNode array, RowContext context)
      throws RejectedRowException {
    List<Message> messages = new ArrayList<>();
    for (JsonNode turn : array) {
      messages.add(message(turn, messages.size(), context));
    }
    return messages;
  }

  /** One message, the {@code index}th of its dialogue. */
  public static Message message(JsonNode turn, int index, RowContext context)
      throws RejectedRowException {
    try {
      return MessageJson.read(turn, index, name -> context.unread("messages[]." + name));
    } catch (MessageJson.UnreadableException e) {
      throw new RejectedRowException(e.rule(), e.detail());
    }
  }

  /** The table's name of a role; the row is rejected where it is not known. */
  public static String role(String name) throws RejectedRowException {
    return Roles.of(name)
        .orElseThrow(
            () ->
                new RejectedRowException(
                    "unknown_role",
                    "No role of a dialogue: '"
                        + (name.length() > 40 ? name.substring(0, 40) + "..." : name)
                        + "'"));
  }

  /** Whether a row has all these fields. */
  public static boolean hasAll(ObjectNode row, String... fields) {
    for (String field : fields) {
      if (!row.hasNonNull(field)) {
        return false;
      }
    }
    return true;
  }
}
