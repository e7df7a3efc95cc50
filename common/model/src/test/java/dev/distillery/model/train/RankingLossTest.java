package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.PortableKernels;
import dev.distillery.model.train.RankingLoss.Pair;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The formula on scores alone. Its values are those of numpy in float64. */
class RankingLossTest {
  /** Chosen 1 and 0.2, rejected 0.5 and 0.4. */
  private static final double[] SCORES = {1, 0.5, 0.2, 0.4};

  private static List<Pair> pairs(double margin) {
    return List.of(new Pair(0, 1, margin, 1), new Pair(2, 3, margin, 1));
  }

  @Test
  void pairsMarginsAndCentringHaveTheirValues() {
    assertThat(RankingLoss.loss(SCORES, pairs(0), 0) / 2).isCloseTo(0.6361079, within(1e-7));
    assertThat(RankingLoss.loss(SCORES, pairs(0.1), 0) / 2).isCloseTo(0.6836852, within(1e-7));
    assertThat(RankingLoss.loss(SCORES, pairs(0), 0.01) / 2).isCloseTo(0.6491579, within(1e-7));
  }

  /** Each of K(K-1)/2 pairs counts the same, and their prompt counts once. */
  @Test
  void aPromptIsTheMeanOverItsPairs() {
    double third = 1.0 / 3;
    double[] scores = {2, 0.5, -1};
    List<Pair> all =
        List.of(new Pair(0, 1, 0, third), new Pair(0, 2, 0, third), new Pair(1, 2, 0, third));
    double expected =
        (Math.log1p(Math.exp(-1.5)) + Math.log1p(Math.exp(-3)) + Math.log1p(Math.exp(-1.5))) / 3;

    assertThat(RankingLoss.loss(scores, all, 0)).isCloseTo(expected, within(1e-12));
    RankingSums sums = RankingSums.of(scores, all, RankingLoss.loss(scores, all, 0));
    assertThat(sums.weight()).isCloseTo(1, within(1e-12));
    assertThat(sums.metrics())
        .containsEntry("accuracy", 1.0)
        .containsEntry("margin", 2.0)
        .containsEntry("mean_reward", 0.5)
        .containsEntry("min_reward", -1.0)
        .containsEntry("max_reward", 2.0);
    assertThat(sums.deviation()).isCloseTo(Math.sqrt(5.25 / 3 - 0.25), within(1e-12));
    assertThat(RankingSums.ofArray(sums.toArray())).isEqualTo(sums);
  }

  @Test
  void scoresFarApartNeitherOverflowNorVanish() {
    double[] scores = {-2000, 2000};
    List<Pair> wrong = List.of(new Pair(0, 1, 0, 1));
    assertThat(RankingLoss.loss(scores, wrong, 0)).isEqualTo(4000);
    assertThat(RankingLoss.slopes(scores, wrong, 0)).containsExactly(-1, 1);
    assertThat(RankingLoss.loss(scores, List.of(new Pair(1, 0, 0, 1)), 0)).isEqualTo(0);
  }

  @Test
  void aLanguageModelIsRefused() {
    try (Kernels kernels = new PortableKernels();
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(Golden.config("lora")), slot -> true);
        Decoder decoder =
            new Decoder(Golden.config("lora"), kernels, parameters, Optional.empty(), false)) {
      assertThatThrownBy(() -> new RankingLoss(decoder, 0))
          .hasMessage("A reward model has one score, and this model's head has 0 outputs");
    }
  }
}
