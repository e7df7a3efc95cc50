package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.train.PreferenceLoss.Answer;
import dev.distillery.model.train.PreferenceLoss.Kind;
import dev.distillery.model.train.PreferenceLoss.Options;
import dev.distillery.model.train.PreferenceLoss.Pair;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The formulas on log-probabilities alone; the first value is numpy's in float64. */
class PreferenceLossTest {
  private static final Answer[] ANSWERS = {new Answer(-10, 5), new Answer(-11, 2)};
  private static final Pair PAIR = new Pair(0, 1, -12, -11.5);

  private static double loss(Kind kind, double beta, double smoothing) {
    return PreferenceLoss.loss(ANSWERS, PAIR, new Options(kind, beta, smoothing, 0));
  }

  @Test
  void eachKindHasItsFormula() {
    assertThat(loss(Kind.SIGMOID, 0.1, 0)).isCloseTo(0.6209570, within(1e-7));
    double wrongWay = Math.log1p(Math.exp(0.15));
    assertThat(loss(Kind.SIGMOID, 0.1, 0.2))
        .isCloseTo(0.8 * Math.log1p(Math.exp(-0.15)) + 0.2 * wrongWay, within(1e-12));
    assertThat(loss(Kind.HINGE, 0.1, 0)).isCloseTo(0.85, within(1e-12));
    assertThat(loss(Kind.HINGE, 1, 0)).isEqualTo(0);
  }

  @Test
  void ipoIsOfMeansATokenAndNotOfSums() {
    double mean = 2.0 / 5 - 0.5 / 2;
    assertThat(loss(Kind.IPO, 0.1, 0)).isCloseTo((mean - 5) * (mean - 5), within(1e-12));
  }

  @Test
  void simpoIsOfMeansATokenWithoutAReference() {
    double loss =
        PreferenceLoss.loss(ANSWERS, new Pair(0, 1, 0, 0), new Options(Kind.SIMPO, 2, 0, 1));
    double logit = 2 * (-10.0 / 5 + 11.0 / 2) - 1;
    assertThat(loss).isCloseTo(Math.log1p(Math.exp(-logit)), within(1e-12));
  }

  @Test
  void metricsAreMeansOverPairs() {
    PreferenceSums sums =
        PreferenceSums.of(ANSWERS, List.of(PAIR), new Options(Kind.SIGMOID, 0.1, 0, 0));
    assertThat(sums.metrics())
        .containsEntry("rewards/chosen", 0.2)
        .containsEntry("rewards/rejected", 0.05)
        .containsEntry("rewards/accuracies", 1.0)
        .containsEntry("logps/chosen", -10.0)
        .containsEntry("logps/rejected", -11.0);
    assertThat(sums.metrics().get("rewards/margins")).isCloseTo(0.15, within(1e-12));
    assertThat(PreferenceSums.ofArray(sums.toArray())).isEqualTo(sums);
  }

  @Test
  void optionsWithoutSenseAreRefused() {
    assertThatThrownBy(() -> new Options(Kind.SIGMOID, 0, 0, 0)).hasMessageContaining("Beta");
    assertThatThrownBy(() -> new Options(Kind.SIGMOID, 0.1, 0.5, 0))
        .hasMessageContaining("smoothing");
    assertThatThrownBy(() -> new Options(Kind.IPO, 0.1, 0.1, 0))
        .hasMessageContaining("sigmoid loss");
    assertThatThrownBy(() -> new Options(Kind.IPO, 0.1, 0, 1)).hasMessageContaining("SimPO");
    assertThatThrownBy(() -> new Options(Kind.SIMPO, 2, 0, -1)).hasMessageContaining("Gamma");
  }
}
