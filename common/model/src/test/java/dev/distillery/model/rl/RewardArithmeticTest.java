package dev.distillery.model.rl;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.random.CounterRandom;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

/** The numbers were computed by numpy in float64, from the papers' formulas, unless it is said. */
class RewardArithmeticTest {
  private static final Offset<Double> CLOSE = within(1e-6);

  private static float[] logs(double... values) {
    float[] logs = new float[values.length];
    for (int i = 0; i < logs.length; i++) {
      logs[i] = (float) Math.log(values[i]);
    }
    return logs;
  }

  private static void close(double[] actual, double... expected) {
    assertThat(actual).containsExactly(expected, CLOSE);
  }

  @Test
  void threeEstimatorsOfTheDivergence() {
    float[] p = logs(.5, .2);
    float[] q = logs(.4, .3);
    close(ShapedRewards.kl(KlEstimator.K1, p, q), .2231436, -.4054651);
    close(ShapedRewards.kl(KlEstimator.K2, p, q), .0248965, .0822010);
    close(ShapedRewards.kl(KlEstimator.K3, p, q), .0231436, .0945349);
  }

  /** TRL 0.7.11, tests/test_ppo_trainer.py: kl_penalty "kl" and "mse". */
  @Test
  void estimatorsAreTrlsPenalties() {
    float[][] p = {{.5f, .2f, .1f}, {.6f, .2f, .1f}};
    float[][] q = {{.4f, .3f, 0}, {.7f, .1f, .3f}};
    close(ShapedRewards.kl(KlEstimator.K1, p[0], q[0]), .1, -.1, .1);
    close(ShapedRewards.kl(KlEstimator.K1, p[1], q[1]), -.1, .1, -.2);
    close(ShapedRewards.kl(KlEstimator.K2, p[0], q[0]), .005, .005, .005);
    close(ShapedRewards.kl(KlEstimator.K2, p[1], q[1]), .005, .005, .02);
  }

  @Test
  void slopesOfTheEstimatorsAreTheirDifferences() {
    for (KlEstimator estimator : KlEstimator.values()) {
      for (double logProb : new double[] {-3, -1.2, -.1}) {
        double h = 1e-6;
        double slope = (estimator.of(logProb + h, -1) - estimator.of(logProb - h, -1)) / (2 * h);
        assertThat(estimator.slope(logProb, -1)).isCloseTo(slope, within(1e-7));
      }
    }
  }

  /** Pitfall 16: the sum over an answer's tokens, its mean over answers, n counts answers. */
  @Test
  void controllerCountsAnswersAndSumsTokens() {
    var controller = new KlController(KlController.Kind.ADAPTIVE, .2, 6, 10_000);
    controller.update(12, 256);
    assertThat(controller.coefficient()).isCloseTo(.201024, within(1e-15));
    controller.update(6.3, 256);
    assertThat(controller.coefficient()).isCloseTo(.20128131072, within(1e-15));
    controller.update(1, 256);
    assertThat(controller.coefficient()).isCloseTo(.20025075040911358, within(1e-15));
    var fixed = new KlController(KlController.Kind.FIXED, .2, 6, 10_000);
    fixed.update(12, 256);
    assertThat(fixed.coefficient()).isEqualTo(.2);
    fixed.resume(.3);
    assertThat(fixed.coefficient()).isEqualTo(.3);
    assertThatThrownBy(() -> new KlController(KlController.Kind.FIXED, -1, 6, 1))
        .hasMessageContaining("coefficient from 0 on");
  }

  /** Pitfall 11: returns are of advantages before they are whitened. */
  @Test
  void returnsUseUnwhitenedAdvantages() {
    Advantages own = Advantages.of(new double[] {0, -.1, 1}, new double[] {.1, .2, .3}, 1, .95);
    close(own.advantages(), .73175, .665, .7);
    close(own.returns(), .83175, .865, 1.0);
    for (Whitening flavour : Whitening.values()) {
      double[] white = own.advantages().clone();
      flavour.apply(List.of(white), true);
      if (flavour == Whitening.POPULATION) {
        close(white, 1.2043837, -1.2441223, .0397385);
      } else {
        close(white, .9833774, -1.0158239, .0324465);
      }
    }
    var answer =
        new Experience.Answer(
            0, logs(1, 1, 1), logs(1, Math.exp(-.1), 1), new float[] {.1f, .2f, .3f}, 1);
    var settings =
        new Experience.Settings(
            Algorithm.PPO, KlEstimator.K1, 1, .95, false, true, Whitening.POPULATION);
    Experience.Lesson lesson = Experience.of(List.of(answer), settings, 1).get(0);
    close(lesson.returns(), .83175, .865, 1.0);
    close(lesson.advantages(), .73175, .665, .7);
    assertThat(lesson.used()[0]).isCloseTo(1.2043837, within(1e-4));
  }

  /** The grid of "The N implementation details of RLHF with PPO": 1.2 to 2.0, mean kept. */
  @Test
  void whiteningNamesItsFlavour() {
    double[] first = {1.2, 1.3, 1.4};
    double[] second = {1.5, 1.6, 1.7};
    double[] third = {1.8, 1.9, 2.0};
    Whitening.POPULATION.apply(List.of(first, second, third), false);
    assertThat(first[0]).isCloseTo(.0508, within(5e-5));
    double[] again = {1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0};
    Whitening.BESSEL.apply(List.of(again), false);
    assertThat(again[0]).isCloseTo(.1394, within(5e-5));
    assertThat(Whitening.BESSEL.variance(List.of(new double[] {3}))).isZero();
  }

  /** Pitfall 12: what another answer holds behind its own end changes nothing. */
  @Test
  void masksAlsoInGae() {
    double[] rewards = {0, -.1, 1};
    double[] values = {.1, .2, .3};
    double[] own = Advantages.of(rewards, values, .9, .8).advantages();
    for (int padding : new int[] {1, 5}) {
      double[] padded =
          Advantages.of(
                  Arrays.copyOf(rewards, 3 + padding), Arrays.copyOf(values, 3 + padding), .9, .8)
              .advantages();
      assertThat(Arrays.copyOf(padded, 3)).containsExactly(own, within(1e-15));
    }
    assertThatThrownBy(() -> Advantages.of(rewards, new double[2], 1, 1))
        .hasMessageContaining("3 and 2");
  }

  @Test
  void clippedSurrogate() {
    double[] old = {-1, -2, -.5};
    double[] now = {-.7, -2.5, -.5};
    double[] advantages = {1, -1, .5};
    double[] losses = new double[3];
    int clipped = 0;
    for (int i = 0; i < 3; i++) {
      TokenTerm term = TokenTerm.policy(now[i], old[i], advantages[i], .2);
      losses[i] = term.value();
      clipped += term.clipped() ? 1 : 0;
      assertThat(term.slope()).isEqualTo(term.clipped() ? 0 : term.value());
    }
    close(losses, -1.2, .8, -.5);
    assertThat(Arrays.stream(losses).average().orElseThrow()).isCloseTo(-.3, CLOSE);
    assertThat(clipped).isEqualTo(2);
  }

  /** Pitfall 13: the value is clipped around that of rollout time. */
  @Test
  void valueClipAroundOldValues() {
    double[] now = {.5, .1, .3};
    double[] old = {.1, .2, .3};
    double[] returns = {1, 0, .3};
    double sum = 0;
    int clipped = 0;
    for (int i = 0; i < 3; i++) {
      TokenTerm term = TokenTerm.value(now[i], old[i], returns[i], .2);
      sum += term.value();
      clipped += term.clipped() ? 1 : 0;
    }
    assertThat(sum / 3).isCloseTo(.0833333, CLOSE);
    assertThat(clipped).isEqualTo(1);
    assertThat(TokenTerm.value(.5, .1, 1, 0)).isEqualTo(new TokenTerm(.125, -.5, false));
  }

  /** Pitfall 9: one entry is more than the divergence, and it stands at the end mark. */
  @Test
  void scoreLandsOnTheEndMark() {
    double[] kl = {.1, -.2, .3, .4};
    double[] rewards = ShapedRewards.of(kl, .5, 2);
    close(rewards, -.05, .1, -.15, 1.8);
    assertThat(ShapedRewards.sum(kl)).isCloseTo(.6, CLOSE);
  }

  /** Pitfall 14. */
  @Test
  void withoutEndTheScoreIsReplacedOrReduced() {
    var moments = new RunningMoments();
    moments.add(new double[] {1, 2, 6});
    for (double score : new double[] {5, -3}) {
      var replace = new ScoreRules(0, ScoreRules.Scaling.OFF, 0, MissingEnd.REPLACE, 1);
      assertThat(replace.apply(score, false, moments)).isEqualTo(-1);
      assertThat(replace.apply(score, true, moments)).isEqualTo(score);
      var subtract = new ScoreRules(0, ScoreRules.Scaling.OFF, 0, MissingEnd.SUBTRACT, 1);
      assertThat(subtract.apply(score, false, moments)).isEqualTo(score - 1);
      var off = new ScoreRules(0, ScoreRules.Scaling.OFF, 0, MissingEnd.OFF, 1);
      assertThat(off.apply(score, false, moments)).isEqualTo(score);
    }
    var scaled = new ScoreRules(0, ScoreRules.Scaling.NORMALIZE, .5, MissingEnd.REPLACE, 1);
    assertThat(scaled.apply(2, false, moments)).isEqualTo(-1);
  }

  @Test
  void scoresAreScaledByAllSoFarAndClipped() {
    var moments = new RunningMoments();
    moments.add(new double[] {1, 2});
    moments.add(new double[] {6, Double.NaN});
    assertThat(moments.count()).isEqualTo(3);
    assertThat(moments.mean()).isCloseTo(3, CLOSE);
    assertThat(moments.deviation()).isCloseTo(Math.sqrt(7), CLOSE);
    var resumed = new RunningMoments();
    resumed.resume(moments.count(), moments.mean(), moments.squares());
    resumed.add(new double[] {4});
    moments.add(new double[] {4});
    assertThat(resumed.deviation()).isEqualTo(moments.deviation());
    var scale = new ScoreRules(0, ScoreRules.Scaling.SCALE, 0, MissingEnd.OFF, 1);
    assertThat(scale.apply(4, true, moments)).isCloseTo(4 / moments.deviation(), CLOSE);
    var norm = new ScoreRules(.5, ScoreRules.Scaling.NORMALIZE, 0, MissingEnd.OFF, 1);
    assertThat(norm.apply(4, true, moments))
        .isCloseTo((4 - moments.mean()) / moments.deviation(), CLOSE);
    var clip = new ScoreRules(1, ScoreRules.Scaling.OFF, 2, MissingEnd.OFF, 1);
    assertThat(clip.apply(9, true, moments)).isEqualTo(2);
    assertThat(clip.apply(2.5, true, moments)).isEqualTo(1.5);
    assertThat(clip.apply(Double.POSITIVE_INFINITY, true, moments)).isNaN();
  }

  /** A reward that is null counts for nobody; by hand: mean 2/3, deviation .57735. */
  @Test
  void nullRewardLeavesItsGroup() {
    double[] rewards = {1, Double.NaN, 0, 1};
    double[] grpo = GroupAdvantages.GRPO.of(rewards);
    assertThat(grpo[0]).isCloseTo(.57725, within(1e-5));
    assertThat(grpo[1]).isNaN();
    assertThat(grpo[2]).isCloseTo(-1.15450, within(1e-5));
    double[] rloo = GroupAdvantages.RLOO.of(new double[] {1, Double.NaN, 0, 3});
    close(Arrays.stream(rloo).filter(Double::isFinite).toArray(), -.5, -2, 2.5);
    assertThat(GroupAdvantages.GRPO.of(new double[] {2, 2})).containsExactly(0, 0);
    assertThat(GroupAdvantages.RLOO.of(new double[] {2, Double.NaN})[0]).isZero();
    assertThat(GroupAdvantages.equal(new double[] {2, Double.NaN, 2})).isTrue();
    assertThat(GroupAdvantages.equal(new double[] {2, 1})).isFalse();
  }

  @Test
  void groupsAreLearnedFromWithoutACritic() {
    List<Experience.Answer> answers =
        List.of(
            new Experience.Answer(7, logs(.5, .5), logs(.25, .5), new float[2], 1),
            new Experience.Answer(7, logs(.5), logs(.5), new float[1], 2),
            new Experience.Answer(8, logs(.5), logs(.5), new float[1], Double.NaN),
            new Experience.Answer(8, logs(.5), logs(.5), new float[1], 5));
    var rloo =
        new Experience.Settings(
            Algorithm.RLOO, KlEstimator.K1, 1, 1, false, false, Whitening.BESSEL);
    List<Experience.Lesson> lessons = Experience.of(answers, rloo, .1);
    double first = 1 - .1 * Math.log(2);
    close(lessons.get(0).used(), first - 2, first - 2);
    close(lessons.get(1).used(), 2 - first);
    assertThat(lessons.get(2).counts()).isFalse();
    close(lessons.get(3).used(), 0);
    var grpo =
        new Experience.Settings(
            Algorithm.GRPO, KlEstimator.K1, 1, 1, false, false, Whitening.BESSEL);
    double expected = .5 / (Math.sqrt(.5) + 1e-4);
    close(Experience.of(answers, grpo, .1).get(1).used(), expected);
    close(Experience.of(answers, grpo, .1).get(0).used(), -expected, -expected);
  }

  @Test
  void anAnswerThatIsOutChangesNoOther() {
    var kept = new Experience.Answer(0, logs(.5, .1), logs(.4, .2), new float[] {.3f, .1f}, 1);
    var out = new Experience.Answer(1, logs(.9, .9), logs(.1, .1), new float[] {9, 9}, Double.NaN);
    var settings =
        new Experience.Settings(
            Algorithm.PPO, KlEstimator.K1, 1, .95, true, true, Whitening.BESSEL);
    double[] alone = Experience.of(List.of(kept), settings, .2).get(0).used();
    assertThat(Experience.of(List.of(out, kept), settings, .2).get(1).used()).isEqualTo(alone);
  }

  @Test
  void lengthsAreDrawnByNameAlone() {
    var sampler = new LengthSampler(32, 128);
    Set<Integer> seen = new HashSet<>();
    double sum = 0;
    for (int i = 0; i < 5000; i++) {
      int length = sampler.length(CounterRandom.key(1, i));
      assertThat(length).isBetween(32, 127).isEqualTo(sampler.length(CounterRandom.key(1, i)));
      seen.add(length);
      sum += length;
    }
    assertThat(seen).hasSize(96);
    assertThat(sum / 5000).isCloseTo(79.5, within(1.2));
    assertThat(LengthSampler.fixed(5).length(7)).isEqualTo(5);
    assertThatThrownBy(() -> new LengthSampler(5, 5)).hasMessageContaining("5 and 5");
  }
}
