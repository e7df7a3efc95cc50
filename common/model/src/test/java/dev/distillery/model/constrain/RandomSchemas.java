package dev.distillery.model.constrain;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.SplittableRandom;

/** Schemas of what is honoured, by chance. */
final class RandomSchemas {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> NAMES =
      List.of("a", "ab", "b", "é", "x\"y", "long name", "\\", "漢", "c\n");

  private final SplittableRandom random;
  private final boolean maps;

  /** Arrays and objects around: a schema that refers to itself without one is undefined. */
  private int inside;

  /**
   * @param maps whether objects may have names that the schema does not say
   */
  RandomSchemas(SplittableRandom random, boolean maps) {
    this.random = random;
    this.maps = maps;
  }

  ObjectNode next() {
    inside = 0;
    ObjectNode schema = schema(3);
    ObjectNode defs = schema.putObject("$defs");
    defs.set("one", schema(2));
    defs.set("two", schema(2));
    ObjectNode node = defs.putObject("node").put("type", "object");
    node.putObject("properties").set("v", schema(0));
    node.withObject("/properties").putObject("next").put("$ref", "#/$defs/node");
    if (!maps) {
      node.put("additionalProperties", false);
    }
    return schema;
  }

  private ObjectNode schema(int depth) {
    ObjectNode schema = JSON.createObjectNode();
    switch (random.nextInt(depth > 0 ? (inside > 0 ? 12 : 11) : 7)) {
      case 0 -> text(schema.put("type", "string"));
      case 1 -> number(schema.put("type", "integer"), true);
      case 2 -> number(schema.put("type", "number"), false);
      case 3 -> schema.put("type", random.nextBoolean() ? "boolean" : "null");
      case 4 -> constants(schema);
      case 5 -> {
        schema.putArray("type").add("string").add("null").add("integer");
        text(schema);
        number(schema, true);
      }
      case 6 -> {
        if (maps) {
          schema.put("description", "anything");
        } else {
          schema.put("const", NAMES.get(random.nextInt(NAMES.size())));
        }
      }
      case 7, 8 -> {
        inside++;
        object(schema, depth);
        inside--;
      }
      case 9 -> {
        inside++;
        array(schema, depth);
        inside--;
      }
      case 10 -> {
        ArrayNode any = schema.putArray("anyOf");
        for (int i = random.nextInt(3); i >= 0; i--) {
          any.add(schema(depth - 1));
        }
      }
      default ->
          schema.put("$ref", "#/$defs/" + List.of("one", "two", "node").get(random.nextInt(3)));
    }
    return schema;
  }

  private void text(ObjectNode schema) {
    int least = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put("minLength", least);
    }
    if (random.nextBoolean()) {
      schema.put("maxLength", least + random.nextInt(4));
    }
  }

  private void number(ObjectNode schema, boolean integer) {
    double least = random.nextInt(-1100, 1100) / (integer ? 1.0 : 8.0);
    if (random.nextBoolean()) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", least);
    }
    if (random.nextBoolean()) {
      double most = least + random.nextInt(2, 300) / (integer ? 1.0 : 16.0);
      schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", most);
    }
  }

  private void constants(ObjectNode schema) {
    ArrayNode values = schema.putArray("enum");
    values.add(NAMES.get(random.nextInt(NAMES.size()))).add(random.nextInt(30)).add(1.5);
    values.addNull().add(random.nextBoolean());
    values.addArray().add(1).addObject().put("k", "v");
  }

  private void object(ObjectNode schema, int depth) {
    schema.put("type", "object");
    if (maps && random.nextInt(4) == 0) {
      if (random.nextBoolean()) {
        schema.set("additionalProperties", schema(depth - 1));
      }
      return;
    }
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (int i = random.nextInt(4); i >= 0; i--) {
      String name = NAMES.get(random.nextInt(NAMES.size()));
      if (!properties.has(name)) {
        properties.set(name, schema(depth - 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    if (maps && random.nextInt(4) == 0) {
      required.add("undeclared");
    } else if (random.nextBoolean()) {
      schema.put("additionalProperties", false);
    }
  }

  private void array(ObjectNode schema, int depth) {
    schema.put("type", "array").set("items", schema(depth - 1));
    if (random.nextInt(3) == 0) {
      schema.putArray("prefixItems").add(schema(depth - 1)).add(schema(depth - 1));
    }
    int least = random.nextInt(4);
    if (random.nextBoolean()) {
      schema.put("minItems", least);
    }
    if (random.nextBoolean()) {
      schema.put("maxItems", least + random.nextInt(3));
    }
  }
}
