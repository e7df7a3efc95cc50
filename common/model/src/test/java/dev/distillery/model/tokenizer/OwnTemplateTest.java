package dev.distillery.model.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.template.TemplateException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OwnTemplateTest {
  private static final Set<String> SPECIALS =
      Set.of(
          "<s>",
          "</s>",
          "<|im_start|>",
          "<|im_end|>",
          "<|eot_id|>",
          "<|start_header_id|>",
          "<|end_header_id|>",
          "<start_of_turn>",
          "<end_of_turn>",
          "<|user|>",
          "<|assistant|>",
          "<|end|>",
          "<|end_of_turn|>");
  private static final List<Message> TURNS =
      List.of(
          new Message("user", "  Hi.\n"),
          new Message("assistant", " Hello. "),
          new Message("user", "A?"),
          new Message("assistant", "<think>\nhm\n</think>\n\nB."));

  static JsonNode goldens() throws IOException {
    return golden("templates.json");
  }

  static JsonNode golden(String name) throws IOException {
    try (InputStream stream =
        OwnTemplateTest.class.getResourceAsStream("/golden/template/" + name)) {
      return new ObjectMapper().readTree(stream);
    }
  }

  private static OwnTemplate template(String name) throws IOException {
    return of(goldens().get("templates").get(name).asText());
  }

  private static OwnTemplate of(String jinja) {
    return new OwnTemplate(
        jinja,
        Map.of("bos_token", "<s>", "eos_token", "</s>"),
        Set.of("</s>"),
        SPECIALS,
        new TemplateInputs("2026-03-07", "{}"));
  }

  @Test
  void argumentsAreNamesThatTheTemplateSees() {
    String jinja =
        "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}"
            + "{% if add_generation_prompt %}assistant: {{ '' if think else '<think></think>' }}"
            + "{{ steps | default([]) | join('/') }}{% endif %}";
    List<Message> asked = List.of(new Message("user", "Hi."));

    assertThat(text(told(jinja, "{\"think\": true, \"steps\": [1, \"b\"]}"), asked))
        .isEqualTo("user: Hi.\nassistant: 1/b");
    assertThat(text(told(jinja, "{}"), asked)).endsWith("assistant: <think></think>");
  }

  @Test
  void argumentsDoNotTakeThePlaceOfTheDialogue() {
    assertThat(TemplateInputs.objection("", "{\"messages\": []}").orElseThrow())
        .contains("--template-args", "messages");
    assertThat(TemplateInputs.objection("", "[1]").orElseThrow()).contains("JSON object");
    assertThat(TemplateInputs.objection("29.11.2026", "{}").orElseThrow())
        .contains("--template-date", "29.11.2026");
  }

  private static OwnTemplate told(String jinja, String arguments) {
    return new OwnTemplate(jinja, Map.of(), Set.of(), SPECIALS, new TemplateInputs("", arguments));
  }

  private static String text(OwnTemplate template, List<Message> messages) {
    var text = new StringBuilder();
    template.segments(messages, true).forEach(segment -> text.append(segment.text()));
    return text.toString();
  }

  private static String trained(OwnTemplate template, List<Message> messages) {
    List<ChatTemplate.Segment> segments = template.segments(messages, false);
    StringBuilder out = new StringBuilder();
    int before = -1;
    for (ChatTemplate.Segment segment : segments) {
      int message = segment.trained() ? segment.message() : -1;
      if (message >= 0) {
        out.append(message == before ? "" : "[" + message + "]").append(segment.text());
      }
      before = message;
    }
    return out.toString();
  }

  /** The stretches of every dialogue that transformers renders make up its text, to the byte. */
  @Test
  void stretchesMakeUpTheText() throws IOException {
    JsonNode goldens = goldens();
    Map<String, String> expected = new TreeMap<>();
    Map<String, String> found = new TreeMap<>();
    for (JsonNode golden : goldens.get("cases")) {
      List<Message> messages = new ArrayList<>();
      boolean plain = golden.get("tools") == null && golden.get("names") == null;
      for (JsonNode m : golden.get("messages")) {
        plain &= m.path("content").isTextual() && m.size() == 2;
        messages.add(new Message(m.get("role").asText(), m.get("content").asText()));
      }
      if (!plain || golden.has("error")) {
        continue;
      }
      OwnTemplate template;
      try {
        template = template(golden.get("template").asText());
      } catch (TemplateException e) {
        continue; // It cannot write a question and an answer.
      }
      expected.put(golden.get("name").asText(), golden.get("text").asText());
      found.put(
          golden.get("name").asText(),
          template.segments(messages, golden.get("prompt").asBoolean()).stream()
              .map(ChatTemplate.Segment::text)
              .collect(Collectors.joining()));
    }
    assertThat(expected).hasSizeGreaterThan(300);
    assertThat(found).isEqualTo(expected);
  }

  @Test
  void anAnswerReachesFromItsHeaderThroughItsClosingMark() throws IOException {
    String thought = "<think>\nhm\n</think>\n\nB.";
    assertThat(trained(template("chatml"), TURNS))
        .isEqualTo("[1] Hello. <|im_end|>[3]" + thought + "<|im_end|>");
    assertThat(trained(template("chatml trimmed"), TURNS))
        .isEqualTo("[1]Hello.<|im_end|>[3]" + thought + "<|im_end|>");
    assertThat(trained(template("chatml with marks"), TURNS))
        .isEqualTo("[1] Hello. <|im_end|>\n[3]" + thought + "<|im_end|>\n");
    // The space behind [/INST] is the model's to say, since it goes on from [/INST].
    assertThat(trained(template("llama 2"), TURNS))
        .isEqualTo("[1] Hello. </s>[3] " + thought + " </s>");
    assertThat(trained(template("gemma"), TURNS))
        .isEqualTo("[1]Hello.<end_of_turn>[3]" + thought + "<end_of_turn>");
    assertThat(trained(template("zephyr"), TURNS))
        .isEqualTo("[1] Hello. </s>[3]" + thought + "</s>");
    assertThat(trained(template("openchat"), TURNS))
        .isEqualTo("[1]  Hello. <|end_of_turn|>[3] " + thought + "<|end_of_turn|>");
    // No mark closes an answer there.
    assertThat(trained(template("exaone"), TURNS)).isEqualTo("[1] Hello. [3]" + thought);
    assertThat(template("exaone").answerEnd()).isEmpty();
  }

  /** What a template strips from an earlier answer is nowhere, and what it puts in is trained. */
  @Test
  void aTemplateThatStripsReasoningTrainsWhatItWrites() throws IOException {
    List<Message> reasoned =
        List.of(
            new Message("user", "A?"),
            new Message("assistant", "<think>\nhm\n</think>\n\nB."),
            new Message("user", "C?"),
            new Message("assistant", "D."));
    assertThat(trained(template("qwen 3"), reasoned))
        .isEqualTo("[1]B.<|im_end|>[3]<think>\n\n</think>\n\nD.<|im_end|>");
  }

  @Test
  void callsOfToolsAreTheAnswersText() throws IOException {
    Message call =
        new Message(
            "assistant",
            "",
            Optional.empty(),
            OptionalDouble.empty(),
            Optional.of(
                "[{\"function\": {\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\"}}}]"));
    assertThat(trained(template("qwen 2.5"), List.of(new Message("user", "Warm?"), call)))
        .isEqualTo(
            "[1]<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Köln\"}}"
                + "\n</tool_call><|im_end|>");
  }

  /** Behind the definitions of tools, the text is that of transformers. */
  @ParameterizedTest
  @CsvSource({"mistral 3: calls, [TOOL_CALLS]", "kimi: calls, ## Return of"})
  void theCallThatAToolAnswersIsTold(String name, String mark) throws Exception {
    JsonNode golden = null;
    for (JsonNode each : goldens().get("cases")) {
      golden = each.get("name").asText().equals(name) ? each : golden;
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode message : Objects.requireNonNull(golden).get("messages")) {
      messages.add(MessageJson.read(message, messages.size(), unread -> {}));
    }
    String expected = golden.get("text").asText();
    assertThat(
            template(golden.get("template").asText()).segments(messages, false).stream()
                .map(ChatTemplate.Segment::text)
                .collect(Collectors.joining()))
        .endsWith(expected.substring(expected.indexOf(mark)));
  }

  @Test
  void whatCannotBeToldApartIsRefused() {
    OwnTemplate mixes =
        of("{% for m in messages %}{{ m.content }}{% endfor %}{{ messages[0].content }}");
    assertThatThrownBy(() -> mixes.segments(TURNS, false))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("mixes message 1 with another");
    OwnTemplate chatml = of("{% for m in messages %}{{ m.role + m.content }}{% endfor %}");
    assertThatThrownBy(() -> chatml.segments(List.of(new Message("a b", "x")), false))
        .isInstanceOf(TemplateException.class)
        .hasMessageContaining("A role must be a word, found 'a b'");
  }
}
