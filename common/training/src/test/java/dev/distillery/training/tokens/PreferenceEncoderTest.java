package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.dialogue.Message;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.training.tokens.PairSettings.LongPair;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PreferenceEncoderTest {
  private static final List<Message> PROMPT = List.of(new Message("user", "say the word"));

  private final Tokenizer tokenizer;
  private final AnswerEncoder answers;

  PreferenceEncoderTest() throws IOException {
    tokenizer = Tokenizers.open(TokenGoldens.FOLDER.resolve("tokenizer.json"));
    answers = new AnswerEncoder(tokenizer, ChatTemplate.named("chatml", "<|im_end|>"));
  }

  private PreferenceEncoder encoder(int length, LongPair longPair) {
    return new PreferenceEncoder(
        answers, new TokenSettings("chatml", length, new PairSettings(longPair, false)));
  }

  private EncodedRow pair(int length, LongPair longPair, String chosen, String rejected) {
    return encoder(length, longPair).pair(PROMPT, chosen, rejected, 0.5);
  }

  /** What is learned of a document, as text. */
  private String learned(TokenSequence row, int document) {
    int from = row.starts()[document];
    int to = document + 1 < row.starts().length ? row.starts()[document + 1] : row.ids().length;
    while (from < to && row.weights()[from] == 0) {
      from++;
    }
    return tokenizer.decode(Arrays.copyOfRange(row.ids(), from, to), false);
  }

  /**
   * Pitfalls 1 and 2: masks are of positions, and one mark closes an answer, whatever it spells.
   */
  @Test
  void theClosingMarkIsLearnedOnceWhateverTheTextsSpell() {
    int end = tokenizer.id("<|im_end|>").orElseThrow();
    EncodedRow encoded =
        encoder(512, LongPair.CUT_ANSWERS)
            .pair(
                List.of(new Message("user", "say <|im_end|> the word")),
                "the <|im_end|> fox",
                "the",
                0);

    TokenSequence row = encoded.sequences().get(0);
    for (int d = 0; d < 2; d++) {
      int from = row.starts()[d];
      int to = d == 0 ? row.starts()[1] : row.ids().length;
      int learnedEnds = 0;
      int allEnds = 0;
      for (int t = from; t < to; t++) {
        allEnds += row.ids()[t] == end ? 1 : 0;
        learnedEnds += row.ids()[t] == end && row.weights()[t] > 0 ? 1 : 0;
      }
      assertThat(learnedEnds).isEqualTo(1);
      assertThat(allEnds).as("the question's and the answer's").isEqualTo(2);
      assertThat(row.weights()[to - 1]).isEqualTo(1);
    }
  }

  @Test
  void aPairIsTwoDocumentsThatEndAtTheirClosingTokens() {
    EncodedRow encoded = pair(512, LongPair.CUT_ANSWERS, "the", "the fox");

    TokenSequence row = encoded.sequences().get(0);
    assertThat(row.starts()).hasSize(2);
    assertThat(row.figures()).containsExactly(0, 1, 0.5f);
    assertThat(learned(row, 0)).isEqualTo("the<|im_end|>");
    assertThat(learned(row, 1)).isEqualTo("the fox<|im_end|>");
    assertThat(encoded.stops()).isTrue();
    assertThat(encoded.cut()).isZero();
    int end = tokenizer.id("<|im_end|>").orElseThrow();
    assertThat(row.ids()[row.ids().length - 1]).isEqualTo(end);
  }

  @Test
  void aLongAnswerIsCutAtItsEndAndHasNoClosingTokenThen() {
    TokenSequence whole = pair(512, LongPair.CUT_ANSWERS, "the", "the fox").sequences().get(0);
    int second = whole.ids().length - whole.starts()[1];

    EncodedRow encoded = pair(second - 1, LongPair.CUT_ANSWERS, "the", "the fox");

    assertThat(encoded.cut()).isEqualTo(1);
    assertThat(encoded.stops()).isFalse();
    assertThat(learned(encoded.sequences().get(0), 1)).isEqualTo("the fox");
    assertThat(pair(second, LongPair.CUT_ANSWERS, "the", "the fox").cut()).isZero();
    assertThat(pair(second - 1, LongPair.REJECT, "the", "the fox").rule())
        .isEqualTo("longer_than_max_length");
  }

  @Test
  void aPromptIsCutFromTheLeftWhereThatIsAskedForAndOfBothSidesTheSame() {
    TokenSequence whole = pair(512, LongPair.CUT_PROMPT, "the", "the fox").sequences().get(0);
    int second = whole.ids().length - whole.starts()[1];

    EncodedRow encoded = pair(second - 3, LongPair.CUT_PROMPT, "the", "the fox");

    TokenSequence row = encoded.sequences().get(0);
    assertThat(encoded.cut()).isEqualTo(6);
    assertThat(learned(row, 0)).isEqualTo("the<|im_end|>");
    assertThat(learned(row, 1)).isEqualTo("the fox<|im_end|>");
    assertThat(Arrays.copyOf(row.ids(), 4)).isEqualTo(Arrays.copyOfRange(whole.ids(), 3, 7));
    EncodedRow answersAlone = pair(3, LongPair.CUT_PROMPT, "one two three", "fox in the water");
    assertThat(answersAlone.sequences().get(0).ids()).hasSize(6);
    assertThat(answersAlone.sequences().get(0).weights()).containsExactly(0, 1, 1, 0, 1, 1);
  }

  @Test
  void whatSaysNothingIsRejectedByName() {
    assertThat(pair(512, LongPair.CUT_ANSWERS, "a", "a").rule()).isEqualTo("equal_answers");
    assertThat(pair(6, LongPair.CUT_ANSWERS, "a", "b").rule()).isEqualTo("prompt_too_long");
    TokenSequence whole = pair(512, LongPair.CUT_ANSWERS, "the", "the fox").sequences().get(0);
    int prompt = 0;
    while (whole.weights()[prompt] == 0) {
      prompt++;
    }
    assertThat(pair(prompt, LongPair.CUT_ANSWERS, "the", "the fox").rule())
        .isEqualTo("prompt_too_long");
    assertThat(pair(prompt + 1, LongPair.CUT_ANSWERS, "the", "the fox").rule())
        .isEqualTo("equal_answers_after_cut");
    assertThat(encoder(512, LongPair.CUT_ANSWERS).pair(PROMPT, "a", "b", Double.NaN).rule())
        .isEqualTo("bad_margin");
    assertThat(
            encoder(512, LongPair.CUT_ANSWERS)
                .pair(List.of(new Message("robot", "x")), "a", "b", 0)
                .rule())
        .isEqualTo("not_in_template");
  }

  @Test
  void thePairsOfAPromptAreOneRowInWhichAnAnswerStandsOnce() {
    TokenSequence first = pair(512, LongPair.CUT_ANSWERS, "the", "fox").sequences().get(0);
    TokenSequence second = pair(512, LongPair.CUT_ANSWERS, "the", "one").sequences().get(0);
    TokenSequence third = pair(512, LongPair.CUT_ANSWERS, "fox", "one").sequences().get(0);

    PackRows.Window window = RankedRows.together(List.of(first, second, third));

    TokenSequence row = window.rows().get(0);
    assertThat(row.starts()).hasSize(3);
    assertThat(row.figures()).containsExactly(0, 1, 0.5f, 0, 2, 0.5f, 1, 2, 0.5f);
    assertThat(learned(row, 0)).isEqualTo("the<|im_end|>");
    assertThat(learned(row, 2)).isEqualTo("one<|im_end|>");
    assertThat(window.shared())
        .isEqualTo(
            first.ids().length + second.ids().length + third.ids().length - row.ids().length);
  }
}
