package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.CharRange;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class InstructionListParserTest {

  @Test
  void readsTheListThatThePromptOpens() {
    var parsed = parse(" name a river in Peru.\n10. Who wrote\t The Iliad?\n11) say  hello\n");

    assertThat(parsed.kept())
        .containsExactly("Name a river in Peru.", "Who wrote The Iliad?", "Say hello");
    assertThat(parsed.rejected()).isEmpty();
  }

  @Test
  void tellsTheListsNumbersFromNumbersInATask() {
    var parsed =
        parse(
            " Which is dearer, a mug for $16. or\n16. a cup?\n10. Order the steps:\n1. Boil water."
                + "\n2. Add tea.\n11. Is 12.5 more than\n12.25?\n12.Say how many.");

    assertThat(parsed.kept())
        .containsExactly(
            "Which is dearer, a mug for $16. or 16. a cup?",
            "Order the steps: 1. Boil water. 2. Add tea.",
            "Is 12.5 more than 12.25?",
            "Say how many.");
  }

  @Test
  void readsAChatModelsAnswerThatGreets() {
    var parsed = parse("Sure, here you go:\n\n9. Name a river.\n\n10. Say hello.\n\nEnjoy!");

    assertThat(parsed.kept()).containsExactly("Name a river.", "Say hello.");
    assertThat(parsed.rejected())
        .containsExactly(
            new Rejection(Rule.CHATTER, "", "Sure, here you go:"),
            new Rejection(Rule.CHATTER, "", "Enjoy!"));
  }

  @Test
  void readsAnAnswerThatCountsFromOne() {
    assertThat(parse("1. Name a river.\n2. Say hello.").kept())
        .containsExactly("Name a river.", "Say hello.");
    var greeted = parse("New tasks:\n1. Name a river.\n2. Say hello.");
    assertThat(greeted.kept()).containsExactly("Name a river.", "Say hello.");
    assertThat(greeted.rejected()).containsExactly(new Rejection(Rule.CHATTER, "", "New tasks:"));
  }

  @Test
  void dropsOnlyTheLastItemOfAReplyThatWasCut() {
    var parsed = InstructionListParser.parse(" A b\n10. C d\n11. E", "length", 9, false);

    assertThat(parsed.kept()).containsExactly("A b", "C d");
    assertThat(parsed.rejected()).containsExactly(new Rejection(Rule.TRUNCATED, "", "E"));
    assertThat(InstructionListParser.parse(" A b\n10. C d\n11.", "length", 9, false).kept())
        .containsExactly("A b", "C d");
  }

  @Test
  void withStrictParityACutReplyIsDroppedWholeAndNamesLoseTheirCapitals() {
    assertThat(InstructionListParser.parse(" A b\n10. C d", "length", 9, true))
        .isEqualTo(
            new Parsed<>(
                List.of(),
                List.of(
                    new Rejection(Rule.TRUNCATED, "the whole reply", "A b"),
                    new Rejection(Rule.TRUNCATED, "the whole reply", "C d"))));
    assertThat(InstructionListParser.parse(" where is Peru?", "stop", 9, true).kept())
        .containsExactly("Where is peru?");
  }

  @Test
  void anEmptyReplyProposesNothing() {
    assertThat(parse("")).isEqualTo(new Parsed<>(List.of(), List.of()));
    assertThat(parse(" \n10. \n\n")).isEqualTo(new Parsed<>(List.of(), List.of()));
  }

  @Property(seed = "20260801")
  void readsAnyTextAndAddsNothingToIt(
      @ForAll
          @StringLength(max = 120)
          @CharRange(from = '0', to = '9')
          @Chars({'\n', ' ', '.', ')', ':', 'a', 'ß', '\u3000', '\uD83D'})
          String reply,
      @ForAll boolean strict,
      @ForAll boolean cut) {
    var parsed = InstructionListParser.parse(reply, cut ? "length" : "stop", 9, strict);

    int chars =
        parsed.kept().stream().mapToInt(String::length).sum()
            + parsed.rejected().stream().mapToInt(rejection -> rejection.text().length()).sum();
    assertThat(chars)
        .isLessThanOrEqualTo(reply.length() + parsed.kept().size() + parsed.rejected().size());
    assertThat(parsed.kept()).noneMatch(String::isBlank);
  }

  @Property(seed = "20260801")
  void whatIsShownIsReadBack(
      @ForAll List<@StringLength(min = 1, max = 30) @CharRange(from = 'A', to = 'Z') String> shown,
      @ForAll boolean strict) {
    String prompt = PromptTemplates.load(Optional.empty()).newInstructions(shown);
    String list = prompt.substring(prompt.indexOf("\n1."));

    var parsed = InstructionListParser.parse(list, "stop", 1, strict);

    if (!strict) {
      assertThat(parsed.kept()).isEqualTo(shown);
    }
    assertThat(parsed.kept()).hasSizeGreaterThanOrEqualTo(shown.size());
  }

  private static Parsed<String> parse(String reply) {
    return InstructionListParser.parse(reply, "stop", 9, false);
  }
}
