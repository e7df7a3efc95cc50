package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.train.LanguageModelHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Every kernel set scores continuations as the training pass does, in one pass or in many. */
public abstract class ScoringParity {
  private static final String MODEL = "llama-gqa31-tied";

  private Kernels kernels;
  private Parameters parameters;
  private Decoder decoder;
  private ContinuationScorer scorer;

  /** The kernels under test. */
  protected abstract Kernels kernels();

  /** How far a score may be from the same at another time. */
  protected abstract double tolerance();

  @BeforeEach
  void open() {
    ModelConfig config = Golden.config(MODEL);
    kernels = kernels();
    parameters = Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false);
    Golden.read(MODEL).load("w/", parameters);
    decoder = new Decoder(config, kernels, parameters, Optional.empty(), false);
    scorer = new ContinuationScorer(decoder);
  }

  @AfterEach
  void close() {
    scorer.close();
    decoder.close();
    parameters.close();
    kernels.close();
  }

  private static int[] tokens(int count, int seed) {
    return IntStream.range(0, count).map(i -> 3 + (i * 7 + i * i * seed + seed) % 60).toArray();
  }

  private double[] expected(int[] context, int[] continuation) {
    int[] all = Arrays.copyOf(context, context.length + continuation.length);
    System.arraycopy(continuation, 0, all, context.length, continuation.length);
    int[] rows = IntStream.range(context.length - 1, all.length - 1).toArray();
    try (LanguageModelHead head = new LanguageModelHead(decoder)) {
      return head.logProbs(
              decoder.forward(Batch.of(List.of(all)), Dropout.NONE), rows, continuation)
          .logProbs();
    }
  }

  /** More than go through the model at once, of one token and of many. */
  @Test
  void continuationsOfOneContextGetTheirScoresWhateverWasScoredBefore() {
    List<int[]> continuations = new ArrayList<>();
    for (int length : new int[] {1, 5, 1, 17, 3, 40, 2, 9, 4, 1, 6}) {
      continuations.add(tokens(length, continuations.size() + 1));
    }
    int[] context = tokens(70, 3);
    List<ContinuationScorer.Score> first = scorer.scoreEach(context, continuations);
    for (int i = 0; i < continuations.size(); i++) {
      assertThat(first.get(i).logProbs())
          .containsExactly(expected(context, continuations.get(i)), Offset.offset(1e-4));
      assertThat(scorer.score(context, continuations.get(i)).logProbs())
          .containsExactly(first.get(i).logProbs(), Offset.offset(1e-4));
    }

    int[] longer = Arrays.copyOf(context, 83);
    int[] other = context.clone();
    other[31]++;
    for (int[] each : List.of(longer, other, Arrays.copyOf(context, 12), context)) {
      List<int[]> some = each == other ? continuations.subList(3, 5) : continuations;
      List<ContinuationScorer.Score> scores = scorer.scoreEach(each, some);
      for (int i = 0; i < some.size(); i++) {
        try (ContinuationScorer fresh = new ContinuationScorer(decoder)) {
          assertSame(scores.subList(i, i + 1), fresh.scoreEach(each, some.subList(i, i + 1)));
        }
      }
    }
    assertSame(scorer.scoreEach(context, continuations), first);
  }

  private void assertSame(
      List<ContinuationScorer.Score> scores, List<ContinuationScorer.Score> expected) {
    assertThat(scores).hasSameSizeAs(expected);
    for (int i = 0; i < scores.size(); i++) {
      assertThat(scores.get(i).logProbs())
          .containsExactly(expected.get(i).logProbs(), Offset.offset(tolerance()));
      assertThat(scores.get(i).greedy()).isEqualTo(expected.get(i).greedy());
    }
  }
}
