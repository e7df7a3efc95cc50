package dev.distillery.model.constrain;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Makes rules of a JSON schema (draft 2020-12). A keyword that is not honoured is refused with its
 * place. What is written may be narrower than the schema, never wider.
 */
final class SchemaReader {
  private static final int MOST_SCHEMAS = 2000;
  private static final int MOST_NESTING = 64;
  private static final int MOST_CHOICES = 64;
  private static final String TOO_MANY = "has more than " + MOST_CHOICES + " alternatives";
  private static final long MOST_LENGTH = 1_000_000_000;

  /** Digits behind the point that a number with bounds has at least room for. */
  private static final int SCALE = 6;

  private static final int MOST_SCALE = 12;

  /** Say nothing of what fits. */
  private static final Set<String> NOTES =
      Set.of(
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "discriminator",
          "$comment",
          "$defs",
          "definitions");

  /** Each stands alone, but for what says nothing. */
  private static final List<String> WHOLE =
      List.of("$ref", "anyOf", "oneOf", "allOf", "enum", "const");

  /** Keywords that say something of one type, and that type. */
  private static final Map<String, String> OF_TYPE =
      Map.ofEntries(
          Map.entry("properties", "object"),
          Map.entry("required", "object"),
          Map.entry("additionalProperties", "object"),
          Map.entry("items", "array"),
          Map.entry("prefixItems", "array"),
          Map.entry("minItems", "array"),
          Map.entry("maxItems", "array"),
          Map.entry("minLength", "string"),
          Map.entry("maxLength", "string"),
          Map.entry("minimum", "number"),
          Map.entry("maximum", "number"),
          Map.entry("exclusiveMinimum", "number"),
          Map.entry("exclusiveMaximum", "number"));

  private static final Set<String> TYPES =
      Set.of("object", "array", "string", "number", "integer", "boolean", "null");

  /** A place in the response format. */
  record Path(@Nullable Path above, String name) {
    Path to(String next) {
      return new Path(this, next.length() > 60 ? next.substring(0, 60) + "..." : next);
    }

    @Override
    public String toString() {
      Deque<String> names = new ArrayDeque<>();
      for (Path path = this; path != null; path = path.above) {
        names.addFirst(path.name);
      }
      return String.join(".", names);
    }
  }

  private record Pending(Choice choice, JsonNode schema, Path path) {}

  private final JsonNode root;
  private final Path rootPath;
  private final Map<String, Choice> referred = new HashMap<>();
  private final Deque<Pending> pending = new ArrayDeque<>();
  private final List<Choice> choices = new ArrayList<>();
  private final List<Path> paths = new ArrayList<>();
  private final BitSet needed = new BitSet();
  private @Nullable Choice any;

  private SchemaReader(JsonNode root, Path rootPath) {
    this.root = root;
    this.rootPath = rootPath;
  }

  /**
   * The rules of a schema.
   *
   * @throws SchemaException where it is not honoured, or nothing fits it
   */
  static JsonConstraint read(JsonNode schema, Path path, String source) throws SchemaException {
    var reader = new SchemaReader(schema, path);
    Choice choice = reader.choice(path);
    reader.referred.put("", choice);
    reader.pending.add(new Pending(choice, schema, path));
    return reader.finish(choice, source);
  }

  /** The rules of any object. */
  static JsonConstraint anyObject(String source) {
    var reader = new SchemaReader(TextNode.valueOf(""), new Path(null, ""));
    try {
      Choice choice = reader.choice(reader.rootPath);
      choice.add(new MapRule(reader.any()));
      return reader.finish(choice, source);
    } catch (SchemaException e) {
      throw new IllegalStateException(e);
    }
  }

  private JsonConstraint finish(Choice choice, String source) throws SchemaException {
    while (!pending.isEmpty()) {
      Pending next = pending.remove();
      fill(next.choice, next.schema, next.path, 0);
    }
    List<List<JsonRule>> all = new ArrayList<>();
    for (int i = 0; i < choices.size(); i++) {
      List<JsonRule> rules = choices.get(i).reachable();
      if (rules.size() > MOST_CHOICES) {
        throw refused(paths.get(i), TOO_MANY);
      }
      all.add(rules);
    }
    all.stream()
        .flatMap(List::stream)
        .forEach(rule -> note(rule.needs().getBytes(StandardCharsets.UTF_8)));
    Set<Container> containers = new LinkedHashSet<>();
    for (int i = 0; i < choices.size(); i++) {
      choices.get(i).flatten(all.get(i));
      all.get(i).stream()
          .filter(Container.class::isInstance)
          .forEach(rule -> containers.add((Container) rule));
    }
    // Heights fall from never to what they are, in as many rounds as there are levels.
    for (boolean changed = true; changed; ) {
      changed = false;
      for (Container container : containers) {
        changed |= container.settle();
      }
    }
    if (!choice.fits(0)) {
      throw refused(
          rootPath,
          choice.height() >= Choice.NEVER
              ? "is fitted by no value that ends"
              : "is fitted by no value of at most " + Choice.MOST_DEPTH + " levels");
    }
    return new JsonConstraint(new Member(choice), needed, source);
  }

  private Choice choice(Path path) throws SchemaException {
    if (choices.size() > MOST_SCHEMAS) {
      throw refused(rootPath, "has more than " + MOST_SCHEMAS + " schemas in it");
    }
    var choice = new Choice();
    choices.add(choice);
    paths.add(path);
    return choice;
  }

  private Choice any() {
    if (any != null) {
      return any;
    }
    var choice = new Choice();
    any = choice;
    choices.add(choice);
    paths.add(rootPath);
    choice.add(new JsonText(0, JsonText.UNBOUNDED));
    choice.add(new JsonNumber(false));
    choice.add(words(List.of("true", "false", "null")));
    choice.add(new MapRule(choice));
    choice.add(new ArrayRule(List.of(), choice, 0, JsonText.UNBOUNDED));
    return choice;
  }

  private Choice read(JsonNode schema, Path path, int nesting) throws SchemaException {
    if (isAny(schema)) {
      return any();
    }
    Choice choice = choice(path);
    fill(choice, schema, path, nesting);
    return choice;
  }

  private static boolean isAny(JsonNode schema) {
    return (schema.isBoolean() && schema.booleanValue()) || (schema.isObject() && schema.isEmpty());
  }

  private void fill(Choice choice, JsonNode schema, Path path, int nesting) throws SchemaException {
    if (nesting > MOST_NESTING) {
      throw refused(path, "lies under more than " + MOST_NESTING + " schemas");
    }
    if (isAny(schema)) {
      choice.add(any());
      return;
    }
    if (schema.isBoolean()) {
      return;
    }
    if (!schema.isObject()) {
      throw refused(path, "is no schema: expected an object");
    }
    String whole = checkKeywords(schema, path);
    switch (whole) {
      case "$ref" -> choice.add(referred(schema.get("$ref"), path.to("$ref")));
      case "anyOf", "oneOf", "allOf" -> {
        Path here = path.to(whole);
        List<JsonNode> alternatives = list(schema.get(whole), here);
        if (alternatives.size() > MOST_CHOICES) {
          throw refused(here, TOO_MANY);
        }
        if (whole.equals("allOf") && alternatives.size() > 1) {
          throw refused(here, "is not honoured: put its schemas together into one");
        }
        if (whole.equals("oneOf") && !new Disjoint(root).all(alternatives)) {
          throw refused(
              here,
              "is not honoured where its schemas are not told apart by type or by a required"
                  + " constant: use anyOf");
        }
        for (int i = 0; i < alternatives.size(); i++) {
          choice.add(read(alternatives.get(i), here.to(String.valueOf(i)), nesting + 1));
        }
      }
      case "enum", "const" -> choice.add(constants(schema, whole, path));
      default -> {
        for (String type : types(schema, path)) {
          typed(choice, type, schema, path, nesting);
        }
      }
    }
  }

  /** The keyword that stands alone, or nothing. */
  private String checkKeywords(JsonNode schema, Path path) throws SchemaException {
    String whole = WHOLE.stream().filter(schema::has).findFirst().orElse("");
    for (var member : schema.properties()) {
      String keyword = member.getKey();
      boolean note =
          NOTES.contains(keyword)
              || (Set.of("$schema", "$id").contains(keyword) && path.equals(rootPath));
      boolean beside =
          whole.isEmpty()
              ? OF_TYPE.containsKey(keyword) || keyword.equals("type")
              : keyword.equals("type") && Set.of("enum", "const").contains(whole);
      if (note || beside || keyword.equals(whole)) {
        continue;
      }
      // What asks for nothing.
      if (keyword.equals("uniqueItems")
          && member.getValue().isBoolean()
          && !member.getValue().booleanValue()) {
        continue;
      }
      boolean known =
          OF_TYPE.containsKey(keyword) || keyword.equals("type") || WHOLE.contains(keyword);
      throw refused(
          path.to(keyword), known ? "is not honoured beside " + whole : "is not honoured");
    }
    return whole;
  }

  private Choice referred(JsonNode reference, Path path) throws SchemaException {
    JsonPointer pointer = pointer(reference);
    JsonNode target = pointer == null ? null : root.at(pointer);
    if (target == null || target.isMissingNode()) {
      throw refused(path, "leads to no schema here: expected #/$defs/NAME");
    }
    Choice known = referred.get(pointer.toString());
    if (known == null) {
      Path there = rootPath;
      for (JsonPointer at = pointer; !at.matches(); at = at.tail()) {
        there = there.to(at.getMatchingProperty());
      }
      known = choice(there);
      referred.put(pointer.toString(), known);
      pending.add(new Pending(known, target, there));
    }
    return known;
  }

  /** Where a reference leads, if it can be read. */
  static @Nullable JsonPointer pointer(JsonNode reference) {
    String text = reference.asText();
    if (!reference.isTextual() || !text.startsWith("#")) {
      return null;
    }
    try {
      String fragment = URI.create(text).getFragment();
      return JsonPointer.compile(fragment == null ? text.substring(1) : fragment);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private JsonRule constants(JsonNode schema, String keyword, Path path) throws SchemaException {
    Path here = path.to(keyword);
    List<JsonNode> values =
        keyword.equals("const") ? List.of(schema.get(keyword)) : list(schema.get(keyword), here);
    List<String> types = schema.has("type") ? types(schema, path) : List.copyOf(TYPES);
    Set<String> spelt = new LinkedHashSet<>();
    for (JsonNode value : values) {
      if (types.stream().anyMatch(type -> isOf(value, type))) {
        spelt.add(spelt(value, here));
      }
    }
    if (spelt.isEmpty()) {
      throw refused(here, "has no value of its type");
    }
    return words(List.copyOf(spelt));
  }

  static boolean isOf(JsonNode value, String type) {
    return switch (type) {
      case "object" -> value.isObject();
      case "array" -> value.isArray();
      case "string" -> value.isTextual();
      case "number" -> value.isNumber();
      case "integer" ->
          value.isIntegralNumber()
              || (value.isNumber() && value.doubleValue() == Math.rint(value.doubleValue()));
      case "boolean" -> value.isBoolean();
      default -> value.isNull();
    };
  }

  private Constants words(List<String> texts) {
    List<byte[]> all = texts.stream().map(text -> text.getBytes(StandardCharsets.UTF_8)).toList();
    all.forEach(this::note);
    return new Constants(new ByteTrie(all));
  }

  private void note(byte[] bytes) {
    for (byte b : bytes) {
      needed.set(b & 0xFF);
    }
  }

  private static String spelt(JsonNode value, Path path) throws SchemaException {
    String text = value.toString();
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw refused(path, "has half of a surrogate pair");
    }
    return text;
  }

  /** Its types: what it says, or those that it says something of, or all. */
  private static List<String> types(JsonNode schema, Path path) throws SchemaException {
    Path here = path.to("type");
    JsonNode given = schema.path("type");
    Set<String> types = new TreeSet<>();
    if (given.isMissingNode()) {
      OF_TYPE.forEach(
          (keyword, type) -> {
            if (schema.has(keyword)) {
              types.add(type);
            }
          });
      if (types.isEmpty()) {
        types.addAll(TYPES);
      }
    }
    for (JsonNode type : given.isTextual() ? List.of(given) : given) {
      if (!TYPES.contains(type.asText())) {
        throw refused(here, "names no type: expected one of " + new TreeSet<>(TYPES));
      }
      types.add(type.asText());
    }
    if (types.isEmpty()) {
      throw refused(here, "names no type: expected one of " + new TreeSet<>(TYPES));
    }
    if (types.contains("number")) {
      types.remove("integer");
    }
    return List.copyOf(types);
  }

  private void typed(Choice choice, String type, JsonNode schema, Path path, int nesting)
      throws SchemaException {
    switch (type) {
      case "object" -> choice.add(object(schema, path, nesting));
      case "array" -> choice.add(array(schema, path, nesting));
      case "string" -> {
        long least = length(schema, "minLength", 0, path);
        long most = length(schema, "maxLength", JsonText.UNBOUNDED, path);
        checkOrder(least, most, "minLength", path);
        choice.add(new JsonText(least, most));
      }
      case "number", "integer" -> choice.add(number(type.equals("integer"), schema, path));
      case "boolean" -> choice.add(words(List.of("true", "false")));
      default -> choice.add(words(List.of("null")));
    }
  }

  private JsonRule object(JsonNode schema, Path path, int nesting) throws SchemaException {
    JsonNode properties = schema.path("properties");
    if (!properties.isMissingNode() && !properties.isObject()) {
      throw refused(path.to("properties"), "is no object");
    }
    Set<String> required = new LinkedHashSet<>();
    if (schema.has("required")) {
      Path here = path.to("required");
      JsonNode names = schema.get("required");
      if (!names.isArray()) {
        throw refused(here, "is no list of names");
      }
      for (JsonNode name : names) {
        if (!name.isTextual()) {
          throw refused(here, "is no list of names");
        }
        required.add(name.textValue());
      }
    }
    JsonNode others = schema.path("additionalProperties");
    Path ofOthers = path.to("additionalProperties");
    boolean closed = others.isBoolean() && !others.booleanValue();
    Choice rest = others.isMissingNode() || closed ? any() : read(others, ofOthers, nesting + 1);
    if (properties.isEmpty() && required.isEmpty() && !closed) {
      return new MapRule(rest);
    }
    Map<String, Member> members = new LinkedHashMap<>();
    for (var property : properties.properties()) {
      Path here = path.to("properties").to(property.getKey());
      members.put(property.getKey(), new Member(read(property.getValue(), here, nesting + 1)));
    }
    for (String name : required) {
      if (!members.containsKey(name)) {
        if (closed) {
          throw refused(
              path.to("required"),
              "asks for a member that properties lacks and additionalProperties forbids");
        }
        members.put(name, new Member(rest));
      }
    }
    List<byte[]> names = new ArrayList<>();
    for (String name : members.keySet()) {
      byte[] spelt =
          spelt(TextNode.valueOf(name), path.to("properties")).getBytes(StandardCharsets.UTF_8);
      note(spelt);
      names.add(spelt);
    }
    return new ObjectRule(
        names,
        List.copyOf(members.values()),
        members.keySet().stream().map(required::contains).toList());
  }

  private JsonRule array(JsonNode schema, Path path, int nesting) throws SchemaException {
    List<Choice> first = new ArrayList<>();
    if (schema.has("prefixItems")) {
      Path here = path.to("prefixItems");
      List<JsonNode> items = list(schema.get("prefixItems"), here);
      for (int i = 0; i < items.size(); i++) {
        first.add(read(items.get(i), here.to(String.valueOf(i)), nesting + 1));
      }
    }
    JsonNode items = schema.path("items");
    if (items.isArray()) {
      throw refused(path.to("items"), "is not honoured as a list: use prefixItems");
    }
    Choice rest = items.isMissingNode() ? any() : read(items, path.to("items"), nesting + 1);
    long least = length(schema, "minItems", 0, path);
    long most = length(schema, "maxItems", JsonText.UNBOUNDED, path);
    checkOrder(least, most, "minItems", path);
    return new ArrayRule(first, rest, least, most);
  }

  private static void checkOrder(long least, long most, String keyword, Path path)
      throws SchemaException {
    if (least > most) {
      throw refused(path.to(keyword), "is above the bound beside it");
    }
  }

  private static long length(JsonNode schema, String keyword, long without, Path path)
      throws SchemaException {
    JsonNode given = schema.path(keyword);
    if (given.isMissingNode()) {
      return without;
    }
    boolean whole = given.canConvertToExactIntegral() && given.canConvertToLong();
    if (!whole || given.longValue() < 0 || given.longValue() > MOST_LENGTH) {
      throw refused(path.to(keyword), "is no whole number from 0 to " + MOST_LENGTH);
    }
    return given.longValue();
  }

  private static JsonRule number(boolean integer, JsonNode schema, Path path)
      throws SchemaException {
    List<String> keywords = List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
    Map<String, BigDecimal> bounds = new HashMap<>();
    int scale = integer ? 0 : SCALE;
    for (String keyword : keywords) {
      if (schema.has(keyword)) {
        JsonNode given = schema.get(keyword);
        if (!given.isNumber() || !Double.isFinite(given.doubleValue())) {
          throw refused(path.to(keyword), "is no number");
        }
        BigDecimal bound = given.decimalValue().stripTrailingZeros();
        if (bound.scale() > MOST_SCALE) {
          throw refused(
              path.to(keyword),
              "is not honoured with more than " + MOST_SCALE + " digits behind the point");
        }
        scale = integer ? 0 : Math.max(scale, bound.scale());
        bounds.put(keyword, bound);
      }
    }
    if (bounds.isEmpty()) {
      return new JsonNumber(integer);
    }
    long least = -NumberRange.MOST;
    long most = NumberRange.MOST;
    for (String keyword : keywords) {
      BigDecimal bound = bounds.get(keyword);
      if (bound == null) {
        continue;
      }
      BigDecimal units = bound.movePointRight(scale);
      if (units.abs().compareTo(BigDecimal.valueOf(NumberRange.MOST)) > 0) {
        throw refused(path.to(keyword), "is not honoured beyond 10^" + (17 - scale));
      }
      long up = units.setScale(0, RoundingMode.CEILING).longValueExact();
      long down = units.setScale(0, RoundingMode.FLOOR).longValueExact();
      switch (keyword) {
        case "minimum" -> least = Math.max(least, up);
        case "maximum" -> most = Math.min(most, down);
        case "exclusiveMinimum" -> least = Math.max(least, down + 1);
        default -> most = Math.min(most, up - 1);
      }
    }
    if (least > most) {
      throw refused(path, "lets no number lie between its bounds");
    }
    return new NumberRange(least, most, scale);
  }

  private static List<JsonNode> list(JsonNode given, Path path) throws SchemaException {
    if (!given.isArray() || given.isEmpty()) {
      throw refused(path, "is no list with something in it");
    }
    List<JsonNode> all = new ArrayList<>();
    given.forEach(all::add);
    return all;
  }

  static SchemaException refused(Path path, String why) {
    return new SchemaException(path.toString(), why);
  }
}
