package dev.distillery.model.format;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelConfigTest {

  /** The counts of the released checkpoints. */
  @ParameterizedTest
  @CsvSource({
    "llama-7b, 6738415616",
    "llama-13b, 13015864320",
    "llama-30b, 32528943616",
    "llama-65b, 65285660672",
    "gpt2, 124439808",
    "gpt2-medium, 354823168",
    "gpt2-large, 774030080",
    "gpt2-xl, 1557611200",
    "smollm2-135m, 134515008",
    "smollm2-360m, 361821120",
    "smollm2-1.7b, 1711376384",
    "tinyllama-1.1b, 1100048384",
    "smollm3-3b, 3075098624",
    "qwen2.5-0.5b, 494032768",
    "qwen3-0.6b, 596049920",
    "mistral-7b, 7241732096",
    "gemma3-270m, 268098176",
  })
  void namedConfigurationsHaveThePublishedParameterCounts(String name, long parameters) {
    assertThat(ModelConfigs.named(name).parameterCount()).isEqualTo(parameters);
  }

  /** Table 2.1 of the paper rounds to two figures. */
  @ParameterizedTest
  @CsvSource({
    "gpt3-125m, 125e6",
    "gpt3-350m, 356e6",
    "gpt3-760m, 760e6",
    "gpt3-1.3b, 1.3e9",
    "gpt3-2.7b, 2.65e9",
    "gpt3-6.7b, 6.7e9",
    "gpt3-13b, 13e9",
    "gpt3-175b, 175e9",
    "gpt1, 117e6",
  })
  void gptTablesAreMetWithinTheirRounding(String name, double parameters) {
    assertThat(ModelConfigs.named(name).parameterCount() / parameters).isCloseTo(1, within(0.02));
  }

  @Test
  void anUnknownNameIsRefusedWithTheKnownOnes() {
    assertThatThrownBy(() -> ModelConfigs.named("gpt5"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("gpt5")
        .hasMessageContaining("smollm2-135m");
  }

  @Test
  void everyViolationIsListed() {
    ModelConfigBuilder builder =
        ModelConfig.llama()
            .hiddenSize(-4)
            .intermediateSize(1 << 30)
            .layers(2)
            .heads(3)
            .kvHeads(2)
            .headDim(7)
            .normEps(Double.NaN);
    assertThatThrownBy(builder::build)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("hidden_size must be in [1, 262144]: -4")
        .hasMessageContaining("intermediate_size must be in [1, 1048576]: 1073741824")
        .hasMessageContaining("multiple of num_key_value_heads: 3, 2")
        .hasMessageContaining("head_dim must be even for rotary positions: 7")
        .hasMessageContaining("NaN");
  }

  @Test
  void aBuilderStartsAtItsConfiguration() {
    ModelConfig config =
        ModelConfigs.named("smollm2-135m").toBuilder()
            .ropeScaling(Optional.of(new RopeScaling.Llama3(8, 1, 4, 8192)))
            .labels(1)
            .scoreBias(0.5)
            .build();
    assertThat(config.toBuilder().build()).isEqualTo(config);
  }

  /** SmolLM2's rotary frequencies: theta 100,000 and heads of 64. */
  @Test
  void ropeFrequenciesFallGeometrically() {
    double[] frequencies = ModelConfigs.named("smollm2-135m").ropeFrequencies(false);
    assertThat(frequencies).hasSize(32);
    assertThat(frequencies[0]).isEqualTo(1.0);
    assertThat(frequencies[1]).isCloseTo(0.6978306, within(1e-7));
    assertThat(frequencies[2]).isCloseTo(0.4869675, within(1e-7));
    assertThat(frequencies[31]).isCloseTo(1.43301e-5, within(1e-10));
  }
}
