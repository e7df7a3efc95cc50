package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

/** A reply is paid for: nothing that stands beside its text may cost it. */
class TeacherReplyTest {
  private static TokenLogprob token(String text) {
    return new TokenLogprob(text, OptionalInt.empty(), -1, List.of());
  }

  private static TeacherReply reply(String text, List<String> tokens) {
    return new TeacherReply(text, "stop", 1, 0, 1, 200, RateLimits.NONE)
        .with(tokens.stream().map(TeacherReplyTest::token).toList());
  }

  /** Marks of vocabularies have blanks of theirs. */
  @Test
  void aMarkWithBlanksEndsAReply() {
    String mark = "<｜end▁of▁sentence｜>";
    for (String text : List.of("", "a", "so fine")) {
      assertThat(
              reply(text, List.of(text, mark).stream().filter(t -> !t.isEmpty()).toList())
                  .finished(List.of())
                  .logprobs())
          .last()
          .isEqualTo(token(mark));
    }
    assertThat(reply("b", List.of("a", mark)).finished(List.of()).logprobs()).isEmpty();
  }

  @Provide
  Arbitrary<List<String>> tokens() {
    return Arbitraries.of(
            "a",
            " a",
            "Ġa",
            "▁",
            "Ċ",
            "\n",
            "",
            "</s>",
            "<▁a▁▁▁▁>",
            "[▁]",
            "</think>",
            "<think>",
            "\uFFFD",
            "<0x0A>",
            ".")
        .list()
        .ofMaxSize(6);
  }

  @Property
  void tokensOfAnySpellingCostNoReply(
      @ForAll("tokens") List<String> said, @ForAll("tokens") List<String> tokens) {
    String text = String.join("", said);
    TeacherReply finished = reply(text, tokens).finished(List.of());
    assertThat(finished.text()).isEqualTo(Thought.of(text).text());
    assertThat(finished.logprobs())
        .isSubsetOf(tokens.stream().map(TeacherReplyTest::token).toList());
  }

  @Provide
  Arbitrary<String> odd() {
    return Arbitraries.of(
        "null",
        "true",
        "-1",
        "1e999",
        "12.5",
        "\"\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "{}",
        "[]",
        "[null]",
        "[[]]",
        "{\"content\":[{\"token\":3,\"logprob\":1e999,\"top_logprobs\":7}]}",
        "{\"content\":[{\"token\":\"token_id:99999999999\",\"logprob\":\"-1\"}]}",
        "{\"content\":{\"token\":\"a\"}}",
        "{\"tokens\":[1,\"\\ud800\",{}],\"token_logprobs\":[null,-1e999],\"top_logprobs\":[3,{\"a\":null}]}",
        "{\"tokens\":[\"a\"],\"token_logprobs\":[-1e999],\"top_logprobs\":[{\"a\":\"x\"}]}",
        "{\"prompt_tokens\":1e30,\"completion_tokens\":-3,\"prompt_tokens_details\":[]}",
        "{\"prompt_tokens\":9,\"completion_tokens\":null,\"prompt_tokens_details\":{\"cached_tokens\":\"many\"}}");
  }

  @Property
  void whatIsMalformedBesideATextCostsNoReply(
      @ForAll("odd") String logprobs,
      @ForAll("odd") String reasoning,
      @ForAll("odd") String calls,
      @ForAll("odd") String usage) {
    String answer =
        """
        {"choices":[{"message":{"content":"fine","reasoning":%s,"tool_calls":%s},
        "finish_reason":%s,"logprobs":%s}],"usage":%s}\
        """
            .formatted(reasoning, calls, usage, logprobs, usage);
    TeacherReply reply =
        OpenAiProtocol.parse(answer.getBytes(StandardCharsets.UTF_8))
            .flatMap(json -> OpenAiProtocol.reply(json, 200, RateLimits.NONE))
            .orElseThrow()
            .finished(List.of());
    assertThat(reply.text()).isEqualTo("fine");
    assertThat(reply.logprobs()).allMatch(token -> Double.isFinite(token.logprob()));
    assertThat(TokenLogprob.fromJson(TokenLogprob.toJson(reply.logprobs())))
        .isEqualTo(reply.logprobs());
  }

  @Test
  void aPartThatCannotBeReadIsNone() {
    assertThat(
            TeacherReply.orElse(
                () -> {
                  throw new IllegalStateException("of a server that nobody has seen");
                },
                Optional.empty()))
        .isEmpty();
  }
}
