package dev.distillery.model.template;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class JinjaTemplateTest {
  private static final Optional<LocalDateTime> NOW =
      Optional.of(LocalDateTime.of(2026, 3, 7, 15, 4, 5));
  private static final ObjectMapper JSON = new ObjectMapper();

  private static JsonNode goldens() throws IOException {
    try (InputStream stream =
        JinjaTemplateTest.class.getResourceAsStream("/golden/template/templates.json")) {
      return JSON.readTree(stream);
    }
  }

  private static Object plain(JsonNode node) {
    return JSON.convertValue(node, new TypeReference<Object>() {});
  }

  private static Map<String, Object> names(JsonNode golden) {
    List<Object> messages = new ArrayList<>();
    for (JsonNode message : golden.get("messages")) {
      messages.add(JinjaTemplate.value(plain(message), messages.size() + 1));
    }
    Map<String, Object> names = new HashMap<>();
    names.put("messages", messages);
    names.put("tools", JinjaTemplate.value(plain(golden.get("tools")), messages.size() + 1));
    names.put("documents", JinjaTemplate.value(null, 0));
    names.put("bos_token", JinjaTemplate.value("<s>", Text.TEMPLATE));
    names.put("eos_token", JinjaTemplate.value("</s>", Text.TEMPLATE));
    names.put("add_generation_prompt", golden.path("prompt").asBoolean());
    golden
        .path("names")
        .properties()
        .forEach(n -> names.put(n.getKey(), JinjaTemplate.value(plain(n.getValue()), 0)));
    return names;
  }

  private static String outcome(String source, Map<String, Object> names) {
    try {
      return JinjaTemplate.parse(source).render(names, NOW).value();
    } catch (TemplateException e) {
      return "refused";
    }
  }

  /** Every published shape on every dialogue, to the byte; what transformers refuses, we refuse. */
  @Test
  void rendersAsTransformersDoes() throws IOException {
    JsonNode goldens = goldens();
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> found = new TreeMap<>();
    for (JsonNode golden : goldens.get("cases")) {
      String name = golden.get("name").asText();
      String source = goldens.get("templates").get(golden.get("template").asText()).asText();
      expected.put(name, golden.has("error") ? "refused" : golden.get("text").asText());
      found.put(name, outcome(source, names(golden)));
    }
    assertThat(goldens.get("templates")).hasSizeGreaterThanOrEqualTo(80);
    assertThat(expected).hasSizeGreaterThan(1000);
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void marksOfGenerationAreWhereTransformersSeesThem() throws IOException {
    JsonNode goldens = goldens();
    int seen = 0;
    for (JsonNode golden : goldens.get("cases")) {
      if (golden.path("marks").isEmpty()) {
        continue;
      }
      String source = goldens.get("templates").get(golden.get("template").asText()).asText();
      JinjaTemplate template = JinjaTemplate.parse(source);
      assertThat(template.marksGeneration()).isTrue();
      Text text = template.render(names(golden), NOW);
      StringBuilder marked = new StringBuilder();
      for (int run = 0, from = 0; run < text.runs(); from = text.end(run++)) {
        boolean generated = (text.origin(run) & Text.GENERATION) != 0;
        marked.append((generated ? "+" : "-").repeat(text.end(run) - from));
      }
      StringBuilder expected = new StringBuilder("-".repeat(text.value().length()));
      for (JsonNode mark : golden.get("marks")) {
        // Python counts code points.
        int from = text.value().offsetByCodePoints(0, mark.get(0).asInt());
        int to = text.value().offsetByCodePoints(0, mark.get(1).asInt());
        expected.replace(from, to, "+".repeat(to - from));
      }
      assertThat(marked.toString()).as(golden.get("name").asText()).isEqualTo(expected.toString());
      seen++;
    }
    assertThat(seen).isGreaterThan(10);
  }

  @Test
  void expressionsHaveThePythonValues() throws IOException {
    JsonNode goldens = goldens();
    Map<String, Object> names = null;
    for (JsonNode golden : goldens.get("cases")) {
      if (golden.get("name").asText().equals("chatml: system")) {
        names = names(golden);
      }
    }
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> found = new TreeMap<>();
    for (JsonNode golden : goldens.get("expressions")) {
      String expression = golden.get("expression").asText();
      expected.put(expression, golden.has("error") ? "refused" : golden.get("text").asText());
      found.put(expression, outcome("{{ " + expression + " }}", names));
    }
    assertThat(expected).hasSizeGreaterThan(500);
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void aTextKnowsWhereItComesFrom() {
    JinjaTemplate template =
        JinjaTemplate.parse(
            "<{{ a | trim }}>{{ (a + b).split('-')[1] | upper }}{{ [a] | tojson }}{{ b * 2 }}");
    Text text =
        template.render(
            Map.of("a", JinjaTemplate.value(" x-y ", 1), "b", JinjaTemplate.value("z", 2)), NOW);
    StringBuilder runs = new StringBuilder();
    for (int run = 0, from = 0; run < text.runs(); from = text.end(run++)) {
      runs.append(text.origin(run)).append(text.value(), from, text.end(run)).append('|');
    }
    assertThat(runs).hasToString("0<|1x-y|0>|1Y |2Z|1[\" x-y \"]|2zz|");
  }

  @Test
  void theDateIsTheRuns() {
    assertThat(
            JinjaTemplate.parse("{{ strftime_now('%d %b %Y, %A %-d.%-m.%y %H:%M:%S %I%p %B%%') }}")
                .render(Map.of(), NOW)
                .value())
        .isEqualTo("07 Mar 2026, Saturday 7.3.26 15:04:05 03PM March%");
    refused("{{ strftime_now('%Q') }}", "%Q");
    JinjaTemplate dated = JinjaTemplate.parse("{{ strftime_now('%Y') }}");
    assertThatThrownBy(() -> dated.render(Map.of(), Optional.empty()))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("'strftime_now' is undefined");
    assertThat(
            JinjaTemplate.parse("{{ 'then' if strftime_now is defined else 'never' }}")
                .render(Map.of(), Optional.empty())
                .value())
        .isEqualTo("never");
  }

  /** Work, texts, ranges, macros, nesting: each has a bound that no published template reaches. */
  @Test
  void aTemplateThatDoesTooMuchIsRefused() {
    refused("{{ 'x' * 100000000 }}", "too much");
    refused("{{ range(1000000) }}", "100000 numbers");
    refused(
        "{% set ns = namespace(s='x') %}{% for i in range(60) %}{% set ns.s = ns.s + ns.s %}"
            + "{% endfor %}",
        "too much");
    refused(
        "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}",
        "too much");
    refused("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "without end");
    refused("{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}", "within each other");
    refused("{% if 1 %}".repeat(5000), "within each other");
    refused("{{ " + "not ".repeat(5000) + "1 }}", "within each other");
    refused("x".repeat((1 << 20) + 1), "1048577 characters");
  }

  @Test
  void whatIsNotSupportedIsRefusedByNameAndLine() {
    refused("a\n{% include 'x' %}", "Line 2 of the chat template: the tag 'include'");
    refused("{{ x | shuffle }}", "the filter 'shuffle' is not supported");
    refused("{{ x is prime }}", "the test 'prime' is not supported");
    refused("{{ [1, 2] | batch(2) }}", "the filter 'batch' is not supported");
    refused("{{ [] | groupby('r') }}", "the filter 'groupby' is not supported");
    refused("{{ '%.2f' % 1.5 }}", "formats by '%.'");
    refused("{{ 'a'.zfill(5) }}", "'zfill' is undefined");
    refused("{{ '0x1A' | int(0, 16) }}", "arguments that are not understood");
    refused("{{ 1 | round(0, 'up') }}", "'round' of the chat template knows common, ceil, floor");
    refused("{% for x in y recursive %}{% endfor %}", "recursive");
    refused("{{ 'a' ", "'}}' is missing");
    refused("{% if x %}", "endif");
    refused("{{ 'a }}", "not closed");
    refused("{{ }}", "expected a value, found '}}'");
    refused("{% set messages.x = 1 %}", "only a namespace's members");
    refused("{{ raise_exception('No system role') }}", "refuses the dialogue: No system role");
  }

  private static void refused(String source, String message) {
    assertThatThrownBy(() -> JinjaTemplate.parse(source).render(Map.of(), NOW))
        .as(source.substring(0, Math.min(60, source.length())))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining(message);
  }
}
