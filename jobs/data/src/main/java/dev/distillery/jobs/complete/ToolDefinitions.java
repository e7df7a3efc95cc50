package dev.distillery.jobs.complete;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.teacher.TeacherAccessOptions;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.teacher.TeacherOptions;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The tools that a row says its dialogue may call, as they go into a request: OpenAI's field {@code
 * tools}. A function that stands there bare, as the older field {@code functions} has it, is put
 * into that form.
 */
final class ToolDefinitions {
  /** The field of the request. */
  static final String FIELD = "tools";

  private static final ObjectMapper JSON = new ObjectMapper();

  private ToolDefinitions() {}

  /** Whether a column's value defines no tool. */
  static boolean none(@Nullable String column) {
    return column == null || column.isBlank() || column.strip().matches("null|\\[\\s*\\]");
  }

  /**
   * The definitions in OpenAI's form; nothing where they are no list of functions.
   *
   * @param column a value that is not {@link #none}
   */
  static Optional<ArrayNode> of(String column) {
    JsonNode found;
    try {
      found = JSON.readTree(column);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
    if (!found.isArray()) {
      return Optional.empty();
    }
    ArrayNode tools = JSON.createArrayNode();
    for (JsonNode tool : found) {
      boolean bare = tool.path("name").isTextual() && !tool.has("type") && !tool.has("function");
      if (bare) {
        tools.addObject().put("type", "function").set("function", tool);
      } else if (tool.path("type").isTextual()) {
        tools.add(tool);
      } else {
        return Optional.empty();
      }
    }
    return Optional.of(tools);
  }

  /** The extra body with a row's definitions in it. */
  static String into(String extraBody, ArrayNode tools) {
    ObjectNode body = object(extraBody);
    body.set(FIELD, tools);
    return body.toString();
  }

  private static ObjectNode object(String extraBody) {
    try {
      return (ObjectNode) JSON.readTree(extraBody);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Checked before: " + e.getMessage(), e);
    }
  }

  /** Why a teacher that is asked so cannot be told of a row's tools, if it cannot. */
  static Optional<String> objection(TeacherOptions teacher, String extraBody) {
    boolean local =
        teacher.teacher() == TeacherKind.GGUF || teacher.teacher() == TeacherKind.STUDENT;
    if (local) {
      return Optional.of("a model in this process is shown no tools");
    }
    if (teacher.access().api() == TeacherAccessOptions.Api.COMPLETIONS) {
      return Optional.of("--api completions has no place for tools");
    }
    return object(extraBody).has(FIELD)
        ? Optional.of("--extra-body gives tools of its own")
        : Optional.empty();
  }
}
