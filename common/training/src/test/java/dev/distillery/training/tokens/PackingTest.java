package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.model.train.TopLogProbs;
import dev.distillery.training.tokens.TokenSettings.OverLength;
import dev.distillery.training.tokens.TokenSettings.Packing;
import dev.distillery.training.tokens.TokenSettings.TrainOn;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** {@link BestFitDecreasing} and {@link ConstantLength}. */
class PackingTest {
  @Test
  void whoSharesARowIsAsInTrl() {
    for (JsonNode row : TokenGoldens.read().get("packing")) {
      List<List<Integer>> expected = new ArrayList<>();
      for (JsonNode bin : row.get("bins")) {
        expected.add(IntStream.of(TokenGoldens.ints(bin)).boxed().toList());
      }

      List<List<Integer>> bins =
          BestFitDecreasing.bins(
              TokenGoldens.ints(row.get("lengths")), row.get("capacity").asInt());

      assertThat(bins).isEqualTo(expected);
    }
  }

  @Test
  void packedDocumentsKeepTheirMasksAndBorders() {
    TokenSequence first = new TokenSequence(new int[] {1, 2, 3}, new float[] {0, 1, 2}, start());
    TokenSequence second = new TokenSequence(new int[] {4, 5}, new float[] {0, 3}, start());

    List<TokenSequence> packed = BestFitDecreasing.pack(List.of(second, first), 5);

    assertThat(packed).hasSize(1);
    assertThat(packed.get(0).ids()).containsExactly(1, 2, 3, 4, 5);
    assertThat(packed.get(0).weights()).containsExactly(0, 1, 2, 0, 3);
    assertThat(packed.get(0).starts()).containsExactly(0, 3);
  }

  /** What a teacher says of a token stands behind the token before it, in a packed row too. */
  @Test
  void packedRowsKeepWhatATeacherSaid() {
    var told =
        List.of(
            new TokenLogprob(
                "x",
                OptionalInt.of(7),
                -0.5,
                List.of(new TokenLogprob.Top("x", OptionalInt.of(7), -0.5))),
            // Drawn beside the likeliest.
            new TokenLogprob(
                "y",
                OptionalInt.of(8),
                -2,
                List.of(new TokenLogprob.Top("z", OptionalInt.of(9), -0.25))));
    TokenSequence first =
        new TokenSequence(new int[] {1, 7, 8}, new float[] {0, 1, 1}, start())
            .with(TaughtTokens.figures(1, told));
    TokenSequence second =
        new TokenSequence(new int[] {4, 5, 7}, new float[] {0, 0, 1}, start())
            .with(TaughtTokens.figures(2, told.subList(0, 1)));

    List<TokenSequence> packed = BestFitDecreasing.pack(List.of(second, first), 6);

    assertThat(packed).hasSize(1);
    TopLogProbs after = TaughtTokens.after(List.of(packed.get(0), first));
    assertThat(packed.get(0).ids()).containsExactly(4, 5, 7, 1, 7, 8);
    assertThat(after.ids())
        .isDeepEqualTo(new int[][] {{}, {7}, {}, {7}, {9, 8}, {}, {7}, {9, 8}, {}});
    assertThat(after.logProbs()[4]).containsExactly(-0.25f, -2f);
    assertThatThrownBy(() -> TaughtTokens.after(List.of(first.with(1f))))
        .hasMessage("A row of 3 tokens has 1 figures, which are no teacher's");
  }

  @Test
  void constantLengthRowsAreThoseOfStackLlama() {
    JsonNode golden = TokenGoldens.read().get("constant_length");
    int length = golden.get("length").asInt();
    var settings =
        new TokenSettings(
            "stack-qa",
            TrainOn.EVERYTHING,
            OverLength.CUT,
            length,
            Packing.CONSTANT_LENGTH,
            TokenGoldens.END);
    RowEncoder encoder = TokenGoldens.dialogues("stack-qa", settings);
    List<EncodedRow> rows = new ArrayList<>();
    golden
        .get("pairs")
        .forEach(
            pair ->
                rows.add(encoder.instruction(pair.get(0).asText(), "", pair.get(1).asText(), 1)));
    // The template closes an answer; the published script's text does not.
    int[] characters =
        rows.stream().mapToInt(row -> row.characters() - "<|im_end|>".length()).toArray();
    double perToken = golden.get("characters").asDouble() / golden.get("tokens").asDouble();
    double buffer = length * perToken * golden.get("sequences").asInt();

    long[] starts = ConstantLength.bufferStarts(Arrays.stream(characters).iterator(), buffer);
    List<int[]> packed = new ArrayList<>();
    long tokens = 0;
    for (int b = 0; b < starts.length; b++) {
      int end = b + 1 < starts.length ? (int) starts[b + 1] : rows.size();
      List<TokenSequence> texts =
          rows.subList((int) starts[b], end).stream().map(row -> row.sequences().get(0)).toList();
      ConstantLength.Packed made = ConstantLength.pack(texts, length, TokenGoldens.END, true);
      made.rows().forEach(row -> packed.add(row.ids()));
      tokens += made.cut() - made.ends();
    }

    assertThat(starts.length).as("several buffers").isGreaterThan(2);
    assertThat(packed).hasSize(golden.get("rows").size());
    for (int i = 0; i < packed.size(); i++) {
      assertThat(packed.get(i)).isEqualTo(TokenGoldens.ints(golden.get("rows").get(i)));
    }
    assertThat(tokens + (long) packed.size() * length)
        .as("tokens in = tokens packed + tokens cut")
        .isEqualTo(rows.stream().mapToInt(EncodedRow::tokens).sum());
  }

  @Test
  void anEndIsPutBehindATextThatHasNone() {
    TokenSequence text = new TokenSequence(new int[] {7, 8}, new float[] {0, 0}, start());

    ConstantLength.Packed packed = ConstantLength.pack(List.of(text, text, text), 4, 9, false);

    assertThat(packed.rows()).hasSize(2);
    assertThat(packed.rows().get(0).ids()).containsExactly(7, 8, 9, 7);
    assertThat(packed.rows().get(1).ids()).containsExactly(8, 9, 7, 8);
    assertThat(packed.rows().get(0).weights()).containsOnly(0);
    assertThat(packed.cut()).isEqualTo(1);
    assertThat(packed.ends()).isEqualTo(3);
  }

  private static int[] start() {
    return new int[] {0};
  }
}
