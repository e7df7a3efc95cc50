package dev.distillery.model.constrain;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a text must be, byte by byte: one JSON value that fits a schema. The members of an object
 * come in the schema's order. Immutable; two of the same response format are equal.
 *
 * <p>No beginning is let through that no value ends: whatever is chosen, something may follow.
 */
public final class JsonConstraint {
  private static final int MOST_TEXT = 1 << 16;

  private static final SchemaReader.Path FORMAT = new SchemaReader.Path(null, "response_format");

  private final State begin;
  private final BitSet needed;
  private final String source;

  /** How far a text is; states compare by value. */
  public static final class State {
    private final List<Reading> readings;
    private final boolean complete;

    State(List<Reading> readings, boolean complete) {
      this.readings = List.copyOf(readings);
      this.complete = complete;
    }

    /** The state behind one more byte, 0 to 255; a dead one where it must not stand here. */
    public State next(int b) {
      var found = new Readings();
      for (Reading reading : readings) {
        reading.rule().next(reading, b, found);
      }
      return found.state();
    }

    /** Whether the text so far is a whole value. */
    public boolean isComplete() {
      return complete;
    }

    /** Whether more may follow. */
    public boolean goesOn() {
      return !readings.isEmpty();
    }

    List<Reading> readings() {
      return readings;
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof State state
          && state.complete == complete
          && state.readings.equals(readings);
    }

    @Override
    public int hashCode() {
      return readings.hashCode();
    }
  }

  /**
   * @param value what stands behind one space or none
   * @param needed bytes that must follow somewhere
   */
  JsonConstraint(Member value, BitSet needed, String source) {
    var found = new Readings();
    value.beginValue(null, found);
    this.begin = found.state();
    this.needed = needed;
    this.source = source;
  }

  /**
   * What OpenAI's {@code response_format} asks for: {@code text} nothing, {@code json_object} any
   * object, {@code json_schema} what fits the schema in it, as if it were {@code strict}.
   *
   * @throws SchemaException where it is none, or its schema has what is not honoured
   */
  public static Optional<JsonConstraint> read(JsonNode format) throws SchemaException {
    String source = format.toString();
    if (source.length() > MOST_TEXT) {
      throw SchemaReader.refused(FORMAT, "has more than " + MOST_TEXT + " characters");
    }
    String type = format.path("type").asText();
    switch (type) {
      case "text" -> {
        checkMembers(format, Set.of("type"), FORMAT);
        return Optional.empty();
      }
      case "json_object" -> {
        checkMembers(format, Set.of("type"), FORMAT);
        return Optional.of(SchemaReader.anyObject(source));
      }
      case "json_schema" -> {
        SchemaReader.Path path = FORMAT.to("json_schema");
        JsonNode named = format.path("json_schema");
        checkMembers(format, Set.of("type", "json_schema"), FORMAT);
        checkMembers(named, Set.of("name", "description", "schema", "strict"), path);
        if (!named.path("schema").isObject()) {
          throw SchemaReader.refused(path.to("schema"), "is no schema: expected an object");
        }
        return Optional.of(SchemaReader.read(named.get("schema"), path.to("schema"), source));
      }
      default ->
          throw SchemaReader.refused(
              FORMAT.to("type"), "is not honoured: expected text, json_object or json_schema");
    }
  }

  private static void checkMembers(JsonNode node, Set<String> known, SchemaReader.Path path)
      throws SchemaException {
    for (var member : node.properties()) {
      if (!known.contains(member.getKey())) {
        throw SchemaReader.refused(path.to(member.getKey()), "is not honoured");
      }
    }
  }

  /** Where every text begins. */
  public State begin() {
    return begin;
  }

  /** Bytes that must follow somewhere; all others may be left. */
  BitSet needed() {
    return needed;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof JsonConstraint constraint && constraint.source.equals(source);
  }

  @Override
  public int hashCode() {
    return source.hashCode();
  }
}
