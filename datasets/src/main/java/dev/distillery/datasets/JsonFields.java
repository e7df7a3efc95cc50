package dev.distillery.datasets;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.dialogue.TextJson;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Takes what a row must hold out of it, and says what is missing. */
public final class JsonFields {
  private JsonFields() {}

  /** The first of these fields that holds text. */
  public static Optional<String> text(JsonNode node, String... fields) {
    for (String field : fields) {
      JsonNode value = node.get(field);
      if (value != null && value.isTextual()) {
        return Optional.of(value.textValue());
      }
    }
    return Optional.empty();
  }

  /** What a field holds, as text: a list or an object as JSON; empty where it is not there. */
  public static Optional<String> value(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value == null || value.isNull() ? Optional.empty() : Optional.of(TextJson.text(value));
  }

  /** What the first of these fields that is there holds, as text; else the row is rejected. */
  public static String requireValue(JsonNode node, String... fields) throws RejectedRowException {
    for (String field : fields) {
      Optional<String> value = value(node, field);
      if (value.isPresent()) {
        return value.get();
      }
    }
    for (String field : fields) {
      if (node.has(field)) {
        throw new RejectedRowException("null_content", "The field " + field + " is null");
      }
    }
    throw missing(node, String.join(" or ", fields));
  }

  /** The first of these fields that holds a number. */
  public static OptionalDouble firstNumber(JsonNode node, String... fields) {
    for (String field : fields) {
      OptionalDouble number = number(node, field);
      if (number.isPresent()) {
        return number;
      }
    }
    return OptionalDouble.empty();
  }

  /** As {@link #text}, with a number or a truth value as text too. */
  public static Optional<String> scalar(JsonNode node, String field) {
    JsonNode value = node.get(field);
    return value != null && value.isValueNode() && !value.isNull()
        ? Optional.of(value.asText())
        : Optional.empty();
  }

  /** The first of these fields that holds text; without one the row is rejected. */
  public static String requireText(JsonNode node, String... fields) throws RejectedRowException {
    return text(node, fields).orElseThrow(() -> missing(node, String.join(" or ", fields)));
  }

  /** A number that a field holds, in figures or as text. */
  public static OptionalDouble number(JsonNode node, String field) {
    JsonNode value = node.get(field);
    if (value != null && value.isNumber() && Double.isFinite(value.doubleValue())) {
      return OptionalDouble.of(value.doubleValue());
    }
    return OptionalDouble.empty();
  }

  /** The array that a field holds; without one the row is rejected. */
  public static JsonNode requireArray(JsonNode node, String field) throws RejectedRowException {
    JsonNode value = node.get(field);
    if (value == null || !value.isArray()) {
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
