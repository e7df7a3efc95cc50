package dev.distillery.core.filter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.filter.RowText.Piece;
import dev.distillery.core.testing.CountedText;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RowFiltersTest {
  private static String judge(String spec, RowText row) {
    return RowFilters.of(List.of(spec), file -> List.of("zebra crossing", "# a comment"))
        .judge(row)
        .objection()
        .map(found -> found.rule() + ": " + found.detail())
        .orElse("");
  }

  private static RowText instruction(String instruction, String input, String output) {
    return new RowText(
        List.of(
            new Piece(Part.PROMPT, instruction),
            new Piece(Part.PROMPT, input),
            new Piece(Part.ANSWER, output)),
        input,
        OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty());
  }

  @Test
  void lengthsAreOfTheWholeOrOfEachAnswer() {
    RowText row = RowText.answer("Say it.", "Yes.");
    assertThat(judge("length:min-words=3", row)).isEmpty();
    assertThat(judge("length:min-words=2,of=answer", row)).isEqualTo("too_short: 1 words");
    assertThat(judge("length:max-chars=3,of=answer", row)).isEqualTo("too_long: 4 characters");
    assertThat(judge("length:max-chars=4,of=answer", row)).isEmpty();
    assertThat(judge("length:min-chars=2,of=answer", RowText.document("🙂")))
        .isEqualTo("too_short: 1 characters");
  }

  @Test
  void phrasesAreWholeWordsWhateverTheirCaseAndSigns() {
    assertThat(judge("refusal", RowText.answer("Help.", "I’m sorry, but I CAN’T do that.")))
        .isEqualTo("refusal: i m sorry but i can t");
    assertThat(judge("refusal", RowText.answer("I'm sorry, but I can't sleep. Why?", "Noise.")))
        .isEmpty();
    assertThat(judge("refusal:within=3", RowText.answer("Tell.", "He said: I must decline.")))
        .isEqualTo("refusal: i must decline");
    assertThat(judge("refusal:within=2", RowText.answer("Tell.", "He said: I must decline.")))
        .isEmpty();
    assertThat(judge("blocked", RowText.answer("Who made you?", "OpenAI did."))).isNotEmpty();
    assertThat(judge("blocked", RowText.answer("Who?", "An openair concert."))).isEmpty();
    assertThat(judge("blocked:file=list.txt", RowText.document("A Zebra  crossing!")))
        .isEqualTo("blocked: zebra crossing");
    assertThat(judge("blocked:phrases=red fox+猫", RowText.document("黒猫がいる")))
        .isEqualTo("blocked: 猫");
  }

  @ParameterizedTest
  @ValueSource(strings = {"No input", "<noinput>", "N/A", "none.", "(No input required)", "-"})
  void anInputThatSaysThereIsNoneIsADefect(String input) {
    assertThat(judge("no-input", instruction("Do it.", input, "Done.")))
        .isEqualTo("no_input: " + input);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "12", "&", "None of the above", "Not applicable here is clause 3"})
  void anInputThatSaysSomethingIsNone(String input) {
    assertThat(judge("no-input", instruction("Do it.", input, "Done."))).isEmpty();
  }

  @Test
  void otherDefectsOfInstructionSets() {
    assertThat(judge("empty-output", instruction("Do it.", "", " \n"))).isNotEmpty();
    assertThat(
            judge("picture-link", instruction("Describe it.", "https://x.org/a/b.JPG", "A cat.")))
        .isEqualTo("picture_link: https://x.org/a/b.JPG");
    assertThat(judge("picture-link", RowText.document("See ![a cat](cat.png).")))
        .isEqualTo("picture_link: ![a cat](cat.png)");
    assertThat(judge("picture-link", RowText.document("Save it as photo.jpg, please."))).isEmpty();
    assertThat(judge("merged-output", instruction("Do it.", "", "Done.\n### Instruction: Go on.")))
        .isEqualTo("merged_output: ### Instruction:");
    assertThat(judge("merged-output", instruction("Do it.", "", "Done.\n12. Instruction: Next.")))
        .isNotEmpty();
    assertThat(judge("merged-output", instruction("Do it.", "", "Done.\n###\nMore"))).isNotEmpty();
    assertThat(judge("merged-output", instruction("Do it.", "", "Input: 3\nOutput: 4\n## Title")))
        .isEmpty();
    assertThat(judge("unfinished-code", RowText.answer("Code?", "```java\nint i;"))).isNotEmpty();
    assertThat(judge("unfinished-code", RowText.answer("Code?", "```java\nint i;\n```"))).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "So 5 + 3 = 9.|5 + 3 = 9",
        "It is (2 + 3) * 4 = 14 in all.|(2 + 3) * 4 = 14",
        "$1,200 - $300 = $800|$1,200 - $300 = $800",
        "7 × 8 = 54|7 × 8 = 54",
        "2^10 = 1000|2^10 = 1000",
        "10 / 3 = 3.43|10 / 3 = 3.43",
        "First, 12 x 12 = 124, then|12 x 12 = 124",
        "Look! 5 + 3 = 9|5 + 3 = 9",
        "1. 5 + 3 = 9|5 + 3 = 9"
      })
  void aSumThatComesOutOtherwiseIsWrong(String answer, String found) {
    assertThat(judge("wrong-arithmetic", RowText.answer("Compute.", answer)))
        .isEqualTo("wrong_arithmetic: " + found);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "5 + 3 = 8",
        "10 / 3 = 3.33",
        "2 / 3 = 0.67 and 2 / 3 = 0.66",
        "7 / 2 = 3 remainder 1",
        "7 / 2 = 3 R1",
        "3x + 2 = 11",
        "x + 2 + 3 = 7",
        "f(2) + 3 = 9 where f is known; y - 4 + 2 = 9",
        "20% of 50 + 10 = 20%",
        "1 + 2 = 3 + 4 - 4",
        "10:30 - 9:30 = 1:00",
        "version 1.2.3-4 = 5",
        "5 + 3 = 8x",
        "1/2 + 1/2 = 1",
        "2 + 2 * 3 = 8",
        "```\n1 + 1 = 3\n```",
        "1 / 0 = 7",
        "1 1/2 + 1/2 = 2",
        "1 000 + 500 = 1 500",
        "500 + 500 = 1 000",
        "√16 + 2 = 6",
        "∛ 8 + 2 = 4",
        "cos 0 + 1 = 2",
        "log 100 + 1 = 3",
        "the square root of 16 + 2 = 6",
        "–3 + 5 = 2",
        "|3 - 5 + 1| = 1 and | 3 - 4 = 1 |",
        "¬1 + 1 = 1",
        "1 + 3 = 2²",
        "½ + 1/2 + 0 = 1",
        "2½ + 1 = 3",
        "5 + 3 = 9 – 1",
        "5 + 115 = 5!",
        "2 + 3 = 1,000 is not said"
      })
  void whatHoldsOrCannotBeToldIsLeftAlone(String answer) {
    boolean wrong = answer.startsWith("2 + 3 = 1,000");
    assertThat(judge("wrong-arithmetic", RowText.answer("Compute.", answer)).isEmpty())
        .isEqualTo(!wrong);
  }

  @Test
  void aPlainQuestionsOnlyNumberIsItsAnswer() {
    assertThat(judge("wrong-arithmetic", RowText.answer("What is 12 * 4?", "The answer is 46.")))
        .isEqualTo("wrong_arithmetic: 12 * 4 = 46");
    assertThat(judge("wrong-arithmetic", RowText.answer("What is 12 * 4?", "48"))).isEmpty();
    assertThat(judge("wrong-arithmetic", RowText.answer("What is 12 * 4?", "12 times 4 is 46")))
        .isEmpty();
    assertThat(judge("wrong-arithmetic", RowText.answer("What is 7 / 2?", "3 remainder 1")))
        .isEmpty();
    assertThat(judge("wrong-arithmetic", RowText.answer("Round 7 / 2 up", "4"))).isEmpty();
    for (String question : List.of("What is sqrt 16 + 2?", "What is the square root of 16 + 2?")) {
      assertThat(judge("wrong-arithmetic", RowText.answer(question, "6"))).isEmpty();
    }
  }

  @Test
  void aListWithoutPhrasesIsRefused() {
    assertThat(
            RowFilters.violations(
                List.of("blocked:phrases=", "refusal:phrases=!+?", "blocked:file=a.txt"),
                Optional.empty()))
        .containsExactly(
            "Option --filter: 'blocked:phrases=': expected at least one phrase in phrases, found"
                + " none",
            "Option --filter: 'refusal:phrases=!+?': expected at least one phrase in phrases, found"
                + " none");
    assertThat(
            RowFilters.violations(
                List.of("blocked:file=a.txt", "blocked:phrases=fox,file=a.txt"),
                Optional.empty(),
                file -> List.of("# only a comment", "")))
        .hasSize(2)
        .allMatch(wrong -> wrong.endsWith("expected at least one phrase in file, found none"));
  }

  @Test
  void longListsOfNumbersTakeLinearTime() {
    for (String unit : List.of("123,", "123, ", "1+", "(1", "1.1")) {
      long small = steps("x=" + unit.repeat(2_000));
      long large = steps("x=" + unit.repeat(4_000));
      assertThat(large).as(unit).isLessThan(3 * small);
    }
  }

  private static long steps(String text) {
    var counted = new CountedText(text);
    assertThat(Arithmetic.EQUATION.matcher(counted).find()).isFalse();
    return counted.steps();
  }

  @Test
  void scoresLanguagesAndHosts() {
    var row =
        new RowText(
            List.of(new Piece(Part.ANSWER, "Der Hund schläft heute den ganzen Tag im Garten.")),
            "",
            OptionalDouble.of(2),
            Optional.empty(),
            Optional.of("https://en.wikipedia.org/wiki/Dog"));
    assertThat(judge("score:min=3", row)).isEqualTo("score: 2.0");
    assertThat(judge("score:min=2,max=2", row)).isEmpty();
    assertThat(judge("score:min=3", RowText.document("x"))).isEqualTo("score: no score");
    assertThat(judge("language:keep=en", row)).isEqualTo("language: de");
    assertThat(judge("language:keep=en+de", row)).isEmpty();
    assertThat(judge("language:skip=de", row)).isEqualTo("language: de");
    assertThat(judge("url:skip=wikipedia.org", row)).isNotEmpty();
    assertThat(judge("url:skip=pedia.org", row)).isEmpty();
  }

  @Test
  void theFirstFilterThatObjectsNamesTheRule() {
    RowFilters filters =
        RowFilters.of(List.of("alpaca-cleaned", "length:min-words=100"), file -> List.of());
    assertThat(filters.judge(RowText.answer("Do it.", "")).objection().orElseThrow().rule())
        .isEqualTo("empty_output");
    assertThat(filters.judge(RowText.answer("Do it.", "Done.")).objection().orElseThrow().rule())
        .isEqualTo("too_short");
  }

  @Test
  void allThatIsWrongIsSaidAtOnce() {
    assertThat(
            RowFilters.violations(
                List.of(
                    "lenght:min-words=3",
                    "length",
                    "length:min-word=3",
                    "length:min-words=x",
                    "length:min-words=1.5",
                    "length:min-words=4,max-words=3,of=some",
                    "score:min",
                    "language:keep=English",
                    "alpaca-cleaned:strict=1",
                    "c4"),
                Optional.of("instructions")))
        .containsExactly(
            "Option --filter: no filter is called 'lenght'; did you mean length?",
            "Option --filter: 'length': expected at least one of min-chars, max-chars, min-words,"
                + " max-words",
            "Option --filter: 'length:min-word=3': expected at least one of min-chars, max-chars,"
                + " min-words, max-words",
            "Option --filter: 'length:min-word=3': unknown key 'min-word'; did you mean min-words?",
            "Option --filter: 'length:min-words=x': expected a number for min-words, found 'x'",
            "Option --filter: 'length:min-words=1.5': expected a whole number from 0 for min-words,"
                + " found '1.5'",
            "Option --filter: 'length:min-words=4,max-words=3,of=some': expected"
                + " of=whole|prompt|answer, found 'some'",
            "Option --filter: 'length:min-words=4,max-words=3,of=some': max-words is below"
                + " min-words",
            "Option --filter: 'score:min': expected key=value, found 'min'",
            "Option --filter: 'score:min': expected min, max or both",
            "Option --filter: 'score:min': expected the table documents or preferences, found"
                + " instructions",
            "Option --filter: 'language:keep=English': expected a code of ISO 639-1, found"
                + " 'English'",
            "Option --filter: 'alpaca-cleaned:strict=1': unknown key 'strict'; it has none",
            "Option --filter: 'c4': expected the table documents, found instructions");
    assertThatThrownBy(() -> RowFilters.of(List.of("c5"), file -> List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("no filter is called 'c5'");
    assertThat(RowFilters.files(List.of("refusal", "blocked:file=a.txt"))).containsExactly("a.txt");
  }
}
