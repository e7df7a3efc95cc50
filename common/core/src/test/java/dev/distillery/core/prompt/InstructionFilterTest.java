package dev.distillery.core.prompt;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class InstructionFilterTest {
  private static final InstructionFilter SELF_INSTRUCT =
      InstructionFilter.selfInstruct(false, false);
  private static final InstructionFilter ALPACA = InstructionFilter.alpaca(false, false);
  private static final InstructionFilter ALPACA_STRICT = InstructionFilter.alpaca(false, true);
  private static final InstructionFilter ANY_SCRIPT = InstructionFilter.alpaca(true, false);

  @Test
  void keepsFourTo150Words() {
    assertThat(ALPACA.check("Name three rivers"))
        .contains(new Rejection(Rule.TOO_SHORT, "3 words, at least 4", "Name three rivers"));
    assertThat(ALPACA.check("Name three long rivers")).isEmpty();
    assertThat(ALPACA.check("word ".repeat(150))).isEmpty();
    assertThat(rule(ALPACA, "word ".repeat(151))).contains(Rule.TOO_LONG);
    assertThat(rule(ALPACA, "")).contains(Rule.TOO_SHORT);
  }

  @Test
  void dropsListedWordsAsWholeWordsInAnyCase() {
    assertThat(ALPACA.check("Describe the Image in detail"))
        .contains(new Rejection(Rule.BLACKLISTED_WORD, "image", "Describe the Image in detail"));
    assertThat(rule(ALPACA, "Where would you go to relax?")).contains(Rule.BLACKLISTED_WORD);
    assertThat(ALPACA.check("Write a profile, a paragraph and a roadmap")).isEmpty();
    assertThat(rule(ALPACA, "Recommend some music for running")).contains(Rule.BLACKLISTED_WORD);
    assertThat(SELF_INSTRUCT.check("Recommend some music for running")).isEmpty();
  }

  @Test
  void dropsProgramsButNotProgrammesUnlessStrict() {
    assertThat(rule(ALPACA, "write a Program that adds numbers")).contains(Rule.WRITE_A_PROGRAM);
    assertThat(ALPACA.check("Write a programme for the school concert")).isEmpty();
    assertThat(rule(ALPACA_STRICT, "Write a programme for the school concert"))
        .contains(Rule.WRITE_A_PROGRAM);
    assertThat(ALPACA_STRICT.check("write a Program that adds numbers")).isEmpty();
  }

  @Test
  void looksAtTheFirstCharacter() {
    assertThat(ALPACA.check("\"Carpe diem\": what does it mean?"))
        .contains(
            new Rejection(Rule.LEADING_PUNCTUATION, "\"", "\"Carpe diem\": what does it mean?"));
    assertThat(rule(ALPACA, "¿Qué hora es en Lima?")).contains(Rule.LEADING_CHARACTER);
    assertThat(ALPACA.check("Que significa señor en español?")).isEmpty();
  }

  @Test
  void keepsEveryScriptWhereTheRunCountsItsTokens() {
    assertThat(ANY_SCRIPT.check("写一首关于秋天的诗")).isEmpty();
    assertThat(ANY_SCRIPT.check("《红楼梦》的作者是谁？")).isEmpty();
    assertThat(ANY_SCRIPT.check("가을에 대한 짧은 시를 써 주세요.")).isEmpty();
    assertThat(rule(ANY_SCRIPT, "写诗")).contains(Rule.TOO_SHORT);
    assertThat(rule(ANY_SCRIPT, "☞ name three long rivers")).contains(Rule.LEADING_CHARACTER);
    assertThat(rule(ALPACA, "가을에 대한 짧은 시를 써 주세요.")).contains(Rule.LEADING_CHARACTER);
  }

  private static Optional<Rule> rule(InstructionFilter filter, String instruction) {
    return filter.check(instruction).map(Rejection::rule);
  }
}
