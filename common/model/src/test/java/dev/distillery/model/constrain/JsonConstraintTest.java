package dev.distillery.model.constrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import dev.distillery.model.constrain.JsonConstraint.State;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What fits a schema is networknt's json-schema-validator's to say, where it is not said here. */
class JsonConstraintTest {
  static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);

  private static final ObjectMapper STRICT =
      JSON.copy().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  static JsonConstraint constraint(JsonNode schema) throws SchemaException {
    ObjectNode format = JSON.createObjectNode().put("type", "json_schema");
    format.putObject("json_schema").put("name", "n").put("strict", true).set("schema", schema);
    return JsonConstraint.read(format).orElseThrow();
  }

  static JsonConstraint constraint(String schema) throws SchemaException, JsonProcessingException {
    return constraint(JSON.readTree(schema));
  }

  static State read(JsonConstraint constraint, byte[] text) {
    State state = constraint.begin();
    for (byte b : text) {
      state = state.next(b & 0xFF);
    }
    return state;
  }

  static boolean accepts(JsonConstraint constraint, String text) {
    return read(constraint, text.getBytes(StandardCharsets.UTF_8)).isComplete();
  }

  static JsonSchema reference(JsonNode schema) {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012).getSchema(schema);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"string"}                  | ""  "a" "#"  "é漢😀" "\\"" "\\u00e9" "\\ud83d\\ude00" "\\/\\n" "\\u0000" | a "a ' "\\x" "\\u12" "\\ud83d" "\\ude00" "\\ud83dx" "\\ud83d\\u0041" nil
          {"type":"string","maxLength":2}    | "" "ab" "é漢" "😀😀" "\\u00e9b" "\\ud83d\\ude00b" | "abc" "\\ud83d\\ude00bc" "\\n\\n\\n"
          {"type":"string","minLength":2}    | "ab" "é漢" "abcdef" | "" "a" "😀" "\\ud83d\\ude00"
          {"type":"integer"}                 | 0 -0 7 -12 123456789012345678 | 01 1.0 1e2 + - 1234567890123456789 --1 .5
          {"type":"number"}                  | 0 -0.5 1.25 1e5 1E-05 2.5e+10 | 1. .5 1e 1e100 00 0x1 NaN
          {"type":"integer","minimum":7,"maximum":112} | 7 9 10 69 99 100 112 | 6 113 1000 -7 07 0
          {"type":"integer","exclusiveMinimum":-3,"maximum":0} | -2 -1 0 -0 | -3 1 -20
          {"type":"integer","minimum":0.5,"maximum":1.5} | 1 | 0 2 1.0
          {"type":"integer","minimum":-120,"maximum":-95} | -95 -99 -100 -120 | -94 -9 -121 95 -1000
          {"type":"number","minimum":0,"maximum":1} | 0 1 0.5 0.000001 1.000000 | -0 1.000001 -0.1 2 1e0 0.0000001
          {"type":"number","exclusiveMinimum":0,"maximum":0.25} | 0.25 0.000001 0.1 | 0 0.26 1 0.250001
          {"type":"boolean"}                 | true false | null True tru truee
          {"type":["null","boolean"]}        | null true | 0 ""
          {"enum":["a","ab",1,12,null,{"k":[1]}]} | "a" "ab" 1 12 null {"k":[1]} | "b" 2 123 {"k":[2]} {}
          {"type":"string","enum":["a",1]}   | "a" | 1
          {"const":"é"}                      | "é" | "e" "\\u00e9"
          {"type":"array","items":{"type":"null"},"minItems":1,"maxItems":2} | [null] [null,null] [#null] | [] [null,null,null] [null,] [,null]
          {"type":"array","items":false}     | [] | [1] [null]
          {"prefixItems":[{"const":1},{"const":2}],"items":{"const":3},"minItems":1} | [1] [1,2] [1,2,3,3,3] | [] [2] [1,3] [1,2,4]
          {"prefixItems":[{"const":1}],"items":false} | [] [1] | [1,1] [2]
          {"properties":{"a":{"const":1},"b":{"const":2},"c":{"const":3}},"required":["b"]} | {"b":2} {"a":1,"b":2} {"b":2,"c":3} {"a":1,"b":2,"c":3} | {} {"a":1} {"b":2,"a":1} {"b":2,"b":2} {"b":2,} {"a":1,,"b":2} {"b":3} {"d":1,"b":2}
          {"type":"object","properties":{},"additionalProperties":false} | {} {#} | {"a":1}
          {"type":"object","required":["k"],"properties":{"v":{"const":1}}} | {"v":1,"k":[]} {"k":{"x":1}} | {"v":1} {"k":1,"v":1}
          {"type":"object","additionalProperties":{"type":"integer"}} | {} {"a":1} {"a":1,"é":2} | {"a":"1"} {a:1} {"a"} {"a":1,}
          {"anyOf":[{"type":"string"},{"type":"array","items":{"$ref":"#"}}]} | "x" [] [[],["x",[]]] | 1 [1] [[]
          {"oneOf":[{"type":"string"},{"type":"null"}]} | "x" null | 1
          {"allOf":[{"type":"integer"}]}     | 5 | "x"
          {}                                 | 1 "x" [1,"x",{"a":null}] true | tru [1 {"a"}
          {"properties":{"a":{"$ref":"#/$defs/x%20y"}},"required":["a"],"$defs":{"x y":{"const":0}}} | {"a":0} | {"a":1}
          """)
  void textsThatFitAndTextsThatDoNot(String schema, String fit, String unfit) throws Exception {
    JsonConstraint constraint = constraint(schema);
    JsonSchema reference = reference(JSON.readTree(schema));
    for (String text : fit.strip().split(" +")) {
      String written = text.replace("#", " ");
      assertThat(accepts(constraint, written)).as(text).isTrue();
      assertThat(reference.validate(JSON.readTree(written))).as(text).isEmpty();
    }
    for (String text : unfit.strip().split(" +")) {
      assertThat(accepts(constraint, text)).as(text).isFalse();
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"string","pattern":"a"}               | pattern is not honoured
          {"type":"string","format":"date"}             | format is not honoured
          {"properties":{"age":{"multipleOf":2}}}       | properties.age.multipleOf is not honoured
          {"properties":{"a":{"items":{"uniqueItems":true}}}} | properties.a.items.uniqueItems is not honoured
          {"type":"object","minProperties":1}           | minProperties is not honoured
          {"patternProperties":{}}                      | patternProperties is not honoured
          {"not":{}}                                    | not is not honoured
          {"allOf":[{},{}]}                             | allOf is not honoured
          {"oneOf":[{"type":"integer"},{"type":"number"}]} | oneOf is not honoured
          {"anyOf":[{}],"type":"object"}                | type is not honoured beside anyOf
          {"anyOf":[]}                                  | anyOf is no list
          {"anyOf":[{"type":"string","pattern":"x"}]}   | anyOf.0.pattern is not honoured
          {"enum":[]}                                   | enum is no list
          {"type":"integer","enum":["a"]}               | enum has no value of its type
          {"type":"strin"}                              | type names no type
          {"type":[]}                                   | type names no type
          {"type":5}                                    | type names no type
          {"minItems":3,"maxItems":2}                   | minItems is above
          {"minLength":3,"maxLength":2}                 | minLength is above
          {"minLength":-1}                              | minLength is no whole number
          {"minLength":"1"}                             | minLength is no whole number
          {"type":"number","minimum":2,"maximum":1}     | lets no number lie
          {"type":"integer","minimum":1.2,"maximum":1.8} | lets no number lie
          {"type":"number","minimum":true}              | minimum is no number
          {"type":"number","minimum":1e300}             | minimum is not honoured beyond 10^11
          {"type":"number","minimum":1e-13}             | minimum is not honoured with more than 12 digits
          {"required":["a"],"properties":{},"additionalProperties":false} | required asks for a member
          {"$ref":"#/$defs/none"}                       | $ref leads to no schema
          {"$ref":"https://elsewhere/x"}                | $ref leads to no schema
          {"$ref":"#/%zz"}                              | $ref leads to no schema
          {"$ref":"#"}                                  | is fitted by no value that ends
          {"properties":{"a":{"$ref":"#"}},"required":["a"]} | is fitted by no value that ends
          {"type":"array","items":{"$ref":"#"},"minItems":1} | is fitted by no value that ends
          {"anyOf":[false]}                             | is fitted by no value that ends
          {"items":[{}]}                                | items is not honoured as a list
          {"properties":5}                              | properties is no object
          {"properties":{"a":5}}                        | properties.a is no schema
          {"required":"a"}                              | required is no list
          {"enum":["\\ud800"]}                          | enum has half of a surrogate pair
          {"items":{"$id":"x"}}                         | items.$id is not honoured
          """)
  void whatIsNotHonouredIsNamedWithItsPlace(String schema, String message) throws Exception {
    String place = message.matches("(lets|is) .*") ? " " : ".";
    assertThatThrownBy(() -> constraint(schema))
        .isInstanceOf(SchemaException.class)
        .hasMessageStartingWith("response_format.json_schema.schema" + place + message);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"type":"xml"}                                        | response_format.type is not honoured
          {}                                                    | response_format.type is not honoured
          {"type":"json_object","schema":{}}                    | response_format.schema is not honoured
          {"type":"text","x":1}                                 | response_format.x is not honoured
          {"type":"json_schema"}                                | response_format.json_schema.schema is no schema
          {"type":"json_schema","json_schema":{"schema":true}}  | response_format.json_schema.schema is no schema
          {"type":"json_schema","json_schema":{"schema":{},"grammar":""}} | response_format.json_schema.grammar is not honoured
          """)
  void formatsThatAreNoneAreNamed(String format, String message) {
    assertThatThrownBy(() -> JsonConstraint.read(JSON.readTree(format)))
        .isInstanceOf(SchemaException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void schemasAreBounded() throws Exception {
    ObjectNode deep = JSON.createObjectNode();
    ObjectNode at = deep;
    for (int i = 0; i < 100; i++) {
      at = at.putObject("items");
    }
    at.put("type", "null");
    assertThatThrownBy(() -> constraint(deep)).hasMessageContaining("lies under more than 64");
    ObjectNode wide = JSON.createObjectNode();
    for (int i = 0; i < 2500; i++) {
      wide.withObject("/properties").putObject("p" + i).put("type", "null");
    }
    assertThatThrownBy(() -> constraint(wide)).hasMessageContaining("more than 2000 schemas");
    assertThatThrownBy(() -> constraint("{\"title\":\"" + "x".repeat(70_000) + "\"}"))
        .hasMessageContaining("more than 65536 characters");
    ObjectNode chain = JSON.createObjectNode().put("$ref", "#/$defs/d0");
    for (int i = 0; i < 1500; i++) {
      chain.withObject("/$defs").putObject("d" + i).put("$ref", "#/$defs/d" + (i + 1));
    }
    chain.withObject("/$defs").putObject("d1500").put("const", 1);
    assertThat(accepts(constraint(chain), "1")).isTrue();
    ObjectNode choices = JSON.createObjectNode();
    for (int i = 0; i < 70; i++) {
      choices.withArray("anyOf").addObject().put("const", i);
    }
    assertThatThrownBy(() -> constraint(choices)).hasMessageContaining("more than 64 alternatives");
    // Before any two of them are compared.
    ObjectNode apart = JSON.createObjectNode();
    for (int i = 0; i < 70; i++) {
      apart.withArray("oneOf").addObject().put("const", 1);
    }
    assertThatThrownBy(() -> constraint(apart)).hasMessageContaining("more than 64 alternatives");
  }

  /** Each level would double the readings. */
  @Test
  void whatIsAmbiguousStaysBounded() throws Exception {
    JsonConstraint constraint =
        constraint(
            """
            {"anyOf": [{"type": "array", "items": {"$ref": "#"}},
                       {"type": "array", "items": {"$ref": "#"}, "maxItems": 9}, {"const": 1}]}
            """);
    State state = read(constraint, "[".repeat(60).getBytes(StandardCharsets.UTF_8));
    assertThat(state.readings()).hasSizeLessThanOrEqualTo(Readings.MOST);
    assertThat(accepts(constraint, "[".repeat(60) + "1" + "]".repeat(60))).isTrue();
  }

  @Test
  void nestingEndsBeforeTheBound() throws Exception {
    JsonConstraint any =
        JsonConstraint.read(JSON.readTree("{\"type\":\"json_object\"}")).orElseThrow();
    String open = "{\"a\":".repeat(63);
    assertThat(accepts(any, open + "{}" + "}".repeat(63))).isTrue();
    assertThat(Walks.lives(read(any, (open + "{\"a\":{").getBytes(StandardCharsets.UTF_8))))
        .isFalse();
    JsonConstraint list =
        constraint(
            "{\"properties\":{\"next\":{\"$ref\":\"#\"},\"v\":{\"type\":\"array\",\"minItems\":1}},\"required\":[\"v\"]}");
    String links = "{\"next\":".repeat(62);
    assertThat(Walks.lives(read(list, (links + "{\"v").getBytes(StandardCharsets.UTF_8)))).isTrue();
    assertThat(Walks.lives(read(list, (links + "{\"n").getBytes(StandardCharsets.UTF_8))))
        .isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          {"a":[1,2]}                | true
          {"a": [1, 2]}              | true
           {"a":[1,2]}               | true
          {~  "a": [~    1,~    2~  ]~} | true
          {~    "a": [1~        ]~} | true
          {~\t"a": []~}              | true
          {  "a":[]}                 | false
          {"a":  []}                 | false
          {"a" :[]}                  | false
          {"a":~[]}                  | false
          {"a":[1 ,2]}               | false
          {"a":[]}~                  | false
          ~{"a":[]}                  | false
          {~~"a":[]}                 | false
          {~     "a":[]}             | false
          """)
  void whiteSpaceIsBounded(String text, boolean accepted) throws Exception {
    JsonConstraint constraint =
        constraint("{\"properties\":{\"a\":{\"items\":{\"type\":\"integer\"}}}}");
    assertThat(accepts(constraint, text.replace('~', '\n').replace("\\t", "\t")))
        .isEqualTo(accepted);
  }

  @Property(tries = 1500)
  void whatIsWrittenParsesAndFits(@ForAll long seed) throws Exception {
    var random = new SplittableRandom(seed);
    boolean maps = random.nextBoolean();
    ObjectNode schema = new RandomSchemas(random, maps).next();
    JsonConstraint constraint;
    try {
      constraint = constraint(schema);
    } catch (SchemaException e) {
      assertThat(e).hasMessageContaining("is fitted by no value that ends");
      return;
    }
    JsonSchema reference = reference(schema);
    for (int free : new int[] {0, 5, 60, 400}) {
      byte[] text;
      try {
        text = Walks.text(constraint, random, free);
      } catch (IllegalStateException e) {
        throw new AssertionError(schema.toString(), e);
      }
      String written = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
      JsonNode value = (maps ? JSON : STRICT).readTree(written);
      assertThat(reference.validate(value)).as("%s of %s", written, schema).isEmpty();
      assertThat(accepts(constraint, written)).isTrue();
    }
  }

  /** The texts of the automaton are all those that the reference takes, of all there are. */
  @Test
  void everyValueOfASmallSchemaCanBeReached() throws Exception {
    String[] atoms = {
      "0", "1", "2", "-1", "10", "true", "null", "\"\"", "\"a\"", "\"b\"", "\"ab\"", "\"aa\"",
      "\"ba\"", "\"bb\""
    };
    List<String> values = new ArrayList<>(List.of(atoms));
    values.add("[]");
    values.add("{}");
    for (String one : atoms) {
      values.add("[" + one + "]");
      values.add("{\"a\":" + one + "}");
      values.add("{\"b\":" + one + "}");
      for (String two : atoms) {
        values.add("[" + one + "," + two + "]");
        values.add("{\"a\":" + one + ",\"b\":" + two + "}");
      }
    }
    for (String schema :
        List.of(
            "{\"type\":\"integer\",\"minimum\":-1,\"maximum\":10}",
            "{\"type\":\"string\",\"maxLength\":2,\"minLength\":1}",
            "{\"type\":\"array\",\"items\":{\"type\":\"integer\",\"minimum\":0},\"maxItems\":2}",
            "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":[\"boolean\",\"null\"]}],\"items\":false}",
            "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"string\"}},\"additionalProperties\":false}",
            "{\"type\":\"object\",\"properties\":{\"a\":{},\"b\":{\"enum\":[\"a\",0,true]}},\"required\":[\"b\"],\"additionalProperties\":false}",
            "{\"anyOf\":[{\"type\":\"array\",\"items\":{\"const\":1}},{\"type\":\"array\",\"items\":{\"type\":\"string\"}},{\"const\":null}]}",
            "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"const\":\"a\"}},\"required\":[\"a\"]},{\"type\":\"object\",\"properties\":{\"a\":{\"const\":\"b\"}},\"required\":[\"a\"],\"additionalProperties\":false}]}")) {
      JsonConstraint constraint = constraint(schema);
      JsonSchema reference = reference(JSON.readTree(schema));
      int fit = 0;
      for (String value : values) {
        boolean expected = reference.validate(JSON.readTree(value)).isEmpty();
        // What an open schema does not say is not written.
        boolean written = !schema.contains("oneOf") || !value.contains("\"b\":");
        assertThat(accepts(constraint, value))
            .as("%s of %s", value, schema)
            .isEqualTo(expected && written);
        fit += expected ? 1 : 0;
      }
      assertThat(fit).as(schema).isBetween(2, values.size() - 1);
    }
  }

  @Test
  void theTextsOfAFiniteSchemaAreAllOfThem() throws Exception {
    JsonConstraint constraint =
        constraint(
            "{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":9,\"maximum\":11},\"b\":{\"type\":\"boolean\"}},\"required\":[\"b\"]}");
    var found = new TreeSet<String>();
    Deque<String> left = new ArrayDeque<>(List.of(""));
    while (!left.isEmpty()) {
      String text = left.pop();
      State state = read(constraint, text.getBytes(StandardCharsets.UTF_8));
      if (state.isComplete()) {
        found.add(text);
      }
      for (char b = '!'; b <= '~'; b++) {
        if (Walks.lives(state.next(b))) {
          left.push(text + b);
        }
      }
    }
    assertThat(found)
        .containsExactlyInAnyOrder(
            "{\"b\":true}",
            "{\"b\":false}",
            "{\"a\":9,\"b\":true}",
            "{\"a\":9,\"b\":false}",
            "{\"a\":10,\"b\":true}",
            "{\"a\":10,\"b\":false}",
            "{\"a\":11,\"b\":true}",
            "{\"a\":11,\"b\":false}");
  }

  @Test
  void statesCompareByValue() throws Exception {
    JsonConstraint constraint = constraint("{\"type\":\"array\",\"items\":{\"type\":\"string\"}}");
    State one = read(constraint, "[\"a\",\"b".getBytes(StandardCharsets.UTF_8));
    State two = read(constraint, "[\"other\", \"text\\n".getBytes(StandardCharsets.UTF_8));
    assertThat(one).isEqualTo(two).hasSameHashCodeAs(two);
    assertThat(one).isNotEqualTo(two.next('"'));
    assertThat(constraint("{\"type\":\"null\"}")).isEqualTo(constraint("{\"type\": \"null\"}"));
  }
}
