package dev.distillery.model.sample;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class TokenChooserTest {
  private static GenerationOptions options(
      double temperature, int topK, double topP, double penalty) {
    return new GenerationOptions(1, temperature, topK, topP, penalty, List.of(), List.of(), 42);
  }

  private static double[] frequencies(GenerationOptions options, float... logits) {
    TokenChooser chooser = new TokenChooser(options, logits.length);
    double[] counts = new double[logits.length];
    int draws = 20_000;
    for (int i = 0; i < draws; i++) {
      counts[chooser.choose(logits.clone(), new int[0], 0, i, 0)] += 1.0 / draws;
    }
    return counts;
  }

  @Test
  void drawsFollowTheSoftmaxAtATemperature() {
    double[] counts = frequencies(options(2, 0, 1, 1), 0, 2, 4);
    double total = 1 + Math.E + Math.exp(2);
    assertThat(counts[0]).isCloseTo(1 / total, within(0.012));
    assertThat(counts[1]).isCloseTo(Math.E / total, within(0.012));
    assertThat(counts[2]).isCloseTo(Math.exp(2) / total, within(0.012));
  }

  /**
   * Pitfall 15: the mean of log p - log q over tokens drawn plainly from p is KL(p || q), which is
   * never below 0; over tokens of a cut distribution it is another number, here below 0. Such a
   * draw has no probability to tell.
   */
  @Test
  void aPlainSampleEstimatesTheDivergenceAndACutOneDoesNot() {
    float[] p = {0, 0.3f, -1, 2, 1.1f, -0.7f, 0.8f, 1.6f, -2, 0.1f, 0.5f, -0.2f};
    float[] q = p.clone();
    for (int i = 0; i < q.length; i++) {
      q[i] *= 1.3f;
    }
    double[] ratio = new double[p.length];
    double exact = 0;
    double square = 0;
    for (int i = 0; i < p.length; i++) {
      ratio[i] = logProb(p, i) - logProb(q, i);
      exact += Math.exp(logProb(p, i)) * ratio[i];
      square += Math.exp(logProb(p, i)) * ratio[i] * ratio[i];
    }
    int draws = 10_000;
    double threeErrors = 3 * Math.sqrt((square - exact * exact) / draws);

    assertThat(exact).isPositive();
    assertThat(meanRatio(options(1, 0, 1, 1), p, ratio, draws))
        .isCloseTo(exact, within(threeErrors));
    assertThat(meanRatio(options(1, 5, 1, 1), p, ratio, draws)).isLessThan(-threeErrors);
    var cut = new TokenChooser(options(1, 5, 1, 1), p.length);
    var unused = cut.choose(p.clone(), new int[0], 0, 1, 0);
    assertThat(cut.logProb()).isNaN();
  }

  private static double logProb(float[] logits, int id) {
    double total = 0;
    for (float logit : logits) {
      total += Math.exp(logit);
    }
    return logits[id] - Math.log(total);
  }

  private static double meanRatio(
      GenerationOptions options, float[] logits, double[] ratio, int draws) {
    TokenChooser chooser = new TokenChooser(options, logits.length);
    double sum = 0;
    for (int i = 0; i < draws; i++) {
      sum += ratio[chooser.choose(logits.clone(), new int[0], 0, i, 0)];
    }
    return sum / draws;
  }

  @Test
  void topKKeepsTheBestAndRenormalises() {
    double[] counts = frequencies(options(1, 2, 1, 1), 0, 3, 1, 2);
    assertThat(counts[0]).isZero();
    assertThat(counts[2]).isZero();
    assertThat(counts[1]).isCloseTo(Math.E / (1 + Math.E), within(0.012));
  }

  @Test
  void topPKeepsTheFewestTokensThatReachIt() {
    float[] logits = {(float) Math.log(0.5), (float) Math.log(0.3), (float) Math.log(0.2)};
    assertThat(frequencies(options(1, 0, 0.5, 1), logits)[0]).isCloseTo(1, within(1e-9));
    double[] two = frequencies(options(1, 0, 0.7, 1), logits);
    assertThat(two[0]).isCloseTo(0.625, within(0.012));
    assertThat(two[2]).isZero();
  }

  /** Tokens 0 (twice) and 1 were said; token 2 stands in the prompt only. */
  @Test
  void penaltiesOfFrequencyAndPresenceCountTheReplyOnly() {
    int[] seen = {2, 2, 0, 1, 0};
    assertThat(chosen(0, 0, seen, 5, 4.5f, 3)).isZero();
    assertThat(chosen(0.4, 0, seen, 5, 4.5f, 3)).isZero();
    assertThat(chosen(0.6, 0, seen, 5, 4.5f, 3)).isEqualTo(1);
    assertThat(chosen(0, 1.6, seen, 5, 4.5f, 3)).isZero();
    assertThat(chosen(0, 2.1, seen, 5, 4.5f, 3)).isEqualTo(2);
  }

  private static int chosen(double frequency, double presence, int[] seen, float... logits) {
    GenerationOptions options =
        new GenerationOptions(9, 0, 0, 1, 1, frequency, presence, List.of(), List.of(), 42);
    return new TokenChooser(options, logits.length).choose(logits, seen, seen.length, 1, 3);
  }

  @Test
  void repetitionPenaltyDividesPositiveAndMultipliesNegativeLogitsOnce() {
    TokenChooser chooser = new TokenChooser(options(0, 0, 1, 2), 3);
    int[] seen = {0, 0, 0};
    assertThat(chooser.choose(new float[] {3, 1.6f, 0}, seen, 3, 1, 0)).isEqualTo(1);
    assertThat(chooser.choose(new float[] {3, 1.4f, 0}, seen, 3, 1, 0)).isEqualTo(0);
    assertThat(chooser.choose(new float[] {-1, -1.9f, -5}, seen, 3, 1, 0)).isEqualTo(1);
  }

  @Test
  void theSameRowAndPositionDrawTheSameTokenAndOthersDoNot() {
    TokenChooser chooser = new TokenChooser(options(1, 0, 1, 1), 50);
    float[] flat = new float[50];
    int[] first = new int[20];
    int[] again = new int[20];
    int[] other = new int[20];
    for (int i = 0; i < 20; i++) {
      first[i] = chooser.choose(flat.clone(), new int[0], 0, 7, i);
      other[i] = chooser.choose(flat.clone(), new int[0], 0, 8, i);
    }
    for (int i = 19; i >= 0; i--) {
      again[i] = chooser.choose(flat.clone(), new int[0], 0, 7, i);
    }
    assertThat(again).isEqualTo(first).isNotEqualTo(other);
  }

  @Property(tries = 200, seed = "20260801")
  void theDrawnTokenIsAmongTheBestK(
      @ForAll @Size(min = 1, max = 2000) float[] logits,
      @ForAll @IntRange(min = 1, max = 50) int k) {
    for (int i = 0; i < logits.length; i++) {
      logits[i] = Float.isFinite(logits[i]) ? logits[i] % 30 : 0;
    }
    int token =
        new TokenChooser(options(1, k, 0.9, 1), logits.length)
            .choose(logits.clone(), new int[0], 0, 5, 3);
    long better = 0;
    for (float logit : logits) {
      better += logit > logits[token] ? 1 : 0;
    }
    assertThat(better).as(Arrays.toString(logits)).isLessThan(k);
  }

  /** Greedy, from all, from the best and from the nucleus; what remains keeps its proportions. */
  @Test
  void idsWithoutATokenAreNeverChosen() {
    for (double temperature : new double[] {0, 1}) {
      for (int topK : new int[] {0, 3}) {
        for (double topP : new double[] {1, 0.9}) {
          var chooser =
              new TokenChooser(
                  new GenerationOptions(
                      1,
                      temperature,
                      topK,
                      topP,
                      1,
                      0,
                      0,
                      List.of(),
                      List.of(),
                      5,
                      0,
                      List.of(1, 4),
                      Optional.empty()),
                  6);
          int[] counts = new int[6];
          for (int row = 0; row < 400; row++) {
            float[] logits = {1, 9, 1.5f, 0.5f, 9, 1};
            counts[chooser.choose(logits, new int[1], 1, row, 0)]++;
          }
          assertThat(counts[1] + counts[4]).isZero();
          assertThat(counts[2]).isGreaterThan(counts[3]).isGreaterThan(400 / 5);
        }
      }
    }
  }
}
