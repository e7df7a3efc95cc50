package dev.distillery.model.constrain;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Tells whether no value fits two of some schemas: as they have no type in common, or as both
 * require a member that is one of some texts, with none in common.
 */
final class Disjoint {
  private static final int MOST_REFERENCES = 64;

  private final JsonNode root;

  /**
   * @param root where references lead
   */
  Disjoint(JsonNode root) {
    this.root = root;
  }

  boolean all(List<JsonNode> schemas) {
    List<JsonNode> found = new ArrayList<>();
    for (JsonNode schema : schemas) {
      found.add(resolved(schema));
    }
    for (int i = 0; i < found.size(); i++) {
      for (int j = 0; j < i; j++) {
        if (!disjoint(found.get(i), found.get(j))) {
          return false;
        }
      }
    }
    return true;
  }

  private JsonNode resolved(JsonNode schema) {
    JsonNode found = schema;
    for (int i = 0; i < MOST_REFERENCES && found.has("$ref"); i++) {
      JsonPointer pointer = SchemaReader.pointer(found.get("$ref"));
      found = pointer == null ? found : root.at(pointer);
    }
    return found;
  }

  private boolean disjoint(JsonNode one, JsonNode two) {
    if (Collections.disjoint(types(one), types(two))) {
      return true;
    }
    for (var property : one.path("properties").properties()) {
      String name = property.getKey();
      Set<String> first = texts(one, name);
      Set<String> second = texts(two, name);
      if (!first.isEmpty() && !second.isEmpty() && Collections.disjoint(first, second)) {
        return true;
      }
    }
    return false;
  }

  private static Set<String> types(JsonNode schema) {
    Set<String> types = new HashSet<>();
    JsonNode given = schema.path("type");
    for (JsonNode type : given.isTextual() ? List.of(given) : given) {
      // An integer is a number too.
      types.add(type.asText().equals("integer") ? "number" : type.asText());
    }
    List<JsonNode> constants = new ArrayList<>();
    schema.path("enum").forEach(constants::add);
    if (schema.has("const")) {
      constants.add(schema.get("const"));
    }
    Set<String> all =
        new HashSet<>(Set.of("object", "array", "string", "number", "boolean", "null"));
    if (types.isEmpty()) {
      types.addAll(all);
    }
    if (!constants.isEmpty()) {
      all.removeIf(type -> constants.stream().noneMatch(value -> SchemaReader.isOf(value, type)));
      types.retainAll(all);
    }
    return types;
  }

  /** What a required member may be, where that is one of some texts. */
  private Set<String> texts(JsonNode schema, String name) {
    boolean required = false;
    for (JsonNode one : schema.path("required")) {
      required |= one.isTextual() && one.textValue().equals(name);
    }
    JsonNode member = resolved(schema.path("properties").path(name));
    Set<String> texts = new HashSet<>();
    List<JsonNode> values = new ArrayList<>();
    member.path("enum").forEach(values::add);
    if (member.has("const")) {
      values.add(member.get("const"));
    }
    for (JsonNode value : values) {
      if (!value.isTextual()) {
        return Set.of();
      }
      texts.add(value.textValue());
    }
    boolean object = schema.path("type").asText().equals("object");
    return required && object ? texts : Set.of();
  }
}
