package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelEstimate.Trained;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelEstimateTest {
  private final ModelEstimate smollm2 = ModelEstimate.of(ModelConfigs.named("smollm2-135m"));

  /** By hand: 6 x 134,515,008 + 12 x 30 layers x 576 x T. */
  @ParameterizedTest
  @CsvSource({"64, 0.820e9", "512, 0.913e9", "1024, 1.019e9"})
  void operationsOfATrainingStepAreThoseOfTheFormula(int tokens, double flops) {
    assertThat(smollm2.trainingFlopsPerToken(Trained.FULL, tokens)).isCloseTo(flops, within(1e6));
    assertThat(smollm2.trainingFlopsPerToken(Trained.FULL, tokens))
        .isCloseTo(3 * smollm2.forwardFlopsPerToken(tokens), within(1.0));
  }

  @Test
  void memoryFollowsTheShape() {
    assertThat(smollm2.weightBytes(4)).isEqualTo(538_060_032);
    // 30 layers, keys and values of 3 heads of 64 in float32: 46,080 bytes a token.
    assertThat(smollm2.cacheBytes(1, 1)).isEqualTo(46_080);
    long full = smollm2.trainingBytes(Trained.FULL, 1, 8);
    long adapters = smollm2.trainingBytes(Trained.ADAPTERS, 1, 8);
    assertThat(full - adapters).isEqualTo(3 * 538_060_032L);
    assertThat(smollm2.trainingBytes(Trained.FULL, 4, 512)).isGreaterThan(full);
  }

  @Test
  void whatIsOnlyLookedUpIsNotMultiplied() {
    ModelConfig llama = ModelConfigs.named("llama-7b");
    assertThat(ModelEstimate.of(llama).multipliedParameters())
        .isEqualTo(llama.parameterCount() - 32_000L * 4096);
    ModelConfig gpt2 = ModelConfigs.named("gpt2");
    assertThat(ModelEstimate.of(gpt2).multipliedParameters())
        .isEqualTo(gpt2.parameterCount() - 1024L * 768);
  }

  /** Well-made runs are met within a factor of two; Alpaca's own reached a small share. */
  @Test
  void publishedRunsStandBesideTheEstimate() {
    assertThat(ModelEstimate.published()).hasSize(4);
    for (ModelEstimate.Published run : ModelEstimate.published()) {
      if (run.name().startsWith("llm.c")) {
        assertThat(run.estimatedHours().orElseThrow() / run.hours()).isBetween(0.5, 2.0);
        assertThat(run.utilisation().orElseThrow()).isBetween(0.4, 0.7);
      }
      if (run.name().startsWith("Alpaca")) {
        assertThat(run.estimatedHours().orElseThrow()).isLessThan(run.hours());
        assertThat(run.utilisation().orElseThrow()).isBetween(0.05, 0.4);
      }
      if (run.name().startsWith("Koala")) {
        assertThat(run.estimatedHours()).isEmpty();
      }
    }
  }

  @Test
  void costIsHoursTimesPriceAndTokensAreTheInverse() {
    Hardware machine = Hardware.named("8xA100-80GB");
    ModelEstimate llama = ModelEstimate.of(ModelConfigs.named("llama-7b"));
    ModelEstimate.Cost cost = llama.training(machine, Trained.FULL, 1e9, 512);
    assertThat(cost.dollars()).isCloseTo(cost.hours() * 32, within(1e-9));
    assertThat(llama.tokensIn(machine, Trained.FULL, cost.hours(), 512))
        .isCloseTo(1e9, within(1.0));
    assertThat(cost.fits()).isTrue();
    assertThat(llama.training(Hardware.named("1xa6000-48gb"), Trained.FULL, 1e9, 512).fits())
        .isFalse();
    assertThatThrownBy(() -> Hardware.named("abacus"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("abacus")
        .hasMessageContaining("8xa100-80gb");
  }
}
