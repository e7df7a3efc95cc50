package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the strict rules with golden/generation_rules.py, which transcribes the originals. */
class StrictParityTest {

  @ParameterizedTest
  @MethodSource("instructions")
  void readsAndFiltersInstructionsAsSelfInstructDoes(JsonNode golden) {
    var filter = InstructionFilter.selfInstruct(false, true);

    var parsed =
        InstructionListParser.parse(
            text(golden, "reply"), text(golden, "finish_reason"), 9, /* strictParity= */ true);

    var read = new ArrayList<List<String>>();
    parsed.kept().forEach(item -> read.add(List.of(item, rule(filter, item))));
    parsed.rejected().forEach(item -> read.add(List.of(item.text(), item.rule().id())));
    assertThat(read).isEqualTo(pairs(golden.get("read")));
  }

  @ParameterizedTest
  @MethodSource("alpaca")
  void readsAndFiltersTasksAsAlpacaDoes(JsonNode golden) {
    var filter = InstructionFilter.alpaca(false, true);

    var parsed =
        AlpacaReplyParser.parse(
            text(golden, "reply"),
            text(golden, "finish_reason"),
            golden.get("shown").intValue(),
            /* strictParity= */ true);

    var left = new ArrayList<List<String>>();
    var rules = new ArrayList<String>();
    parsed.rejected().forEach(rejection -> rules.add(rejection.rule().id()));
    for (GeneratedTask task : parsed.kept()) {
      String rule = rule(filter, task.instruction());
      rules.add(rule);
      if (rule.isEmpty()) {
        left.add(List.of(task.instruction(), task.input(), task.output()));
      }
    }
    assertThat(left).isEqualTo(pairs(golden.get("kept")));
    assertThat(rules).containsExactlyInAnyOrderElementsOf(strings(golden.get("rules")));
  }

  @ParameterizedTest
  @MethodSource("instances")
  void readsAndFiltersInstancesAsSelfInstructDoes(JsonNode golden) {
    var parsed =
        InstanceParser.parse(
            text(golden, "reply"),
            text(golden, "finish_reason"),
            golden.get("classification").booleanValue(),
            /* strictParity= */ true);
    var left = InstanceFilter.filter(parsed.kept()).kept();

    assertThat(parsed.kept().stream().map(StrictParityTest::pair).toList())
        .isEqualTo(pairs(golden.get("read")));
    assertThat(
            left.stream()
                .map(StrictParityTest::pair)
                .sorted(
                    Comparator.comparing((List<String> pair) -> pair.get(0))
                        .thenComparing(pair -> pair.get(1)))
                .toList())
        .isEqualTo(pairs(golden.get("left")));
  }

  private static String rule(InstructionFilter filter, String instruction) {
    return filter.check(instruction).map(rejection -> rejection.rule().id()).orElse("");
  }

  private static List<String> pair(TaskInstance instance) {
    return List.of(instance.input(), instance.output());
  }

  private static String text(JsonNode node, String field) {
    return node.get(field).textValue();
  }

  private static List<List<String>> pairs(JsonNode array) {
    var pairs = new ArrayList<List<String>>();
    array.forEach(pair -> pairs.add(strings(pair)));
    return pairs;
  }

  /** The texts of an array, null as the empty one. */
  private static List<String> strings(JsonNode array) {
    var strings = new ArrayList<String>();
    array.forEach(item -> strings.add(Objects.requireNonNullElse(item.textValue(), "")));
    return strings;
  }

  static Stream<JsonNode> instructions() throws IOException {
    return cases("instructions");
  }

  static Stream<JsonNode> alpaca() throws IOException {
    return cases("alpaca");
  }

  static Stream<JsonNode> instances() throws IOException {
    return cases("instances");
  }

  private static Stream<JsonNode> cases(String name) throws IOException {
    try (InputStream in =
        StrictParityTest.class.getResourceAsStream("/golden/generation-rules.json")) {
      var cases = new ArrayList<JsonNode>();
      new ObjectMapper().readTree(in).get(name).forEach(cases::add);
      return cases.stream();
    }
  }
}
