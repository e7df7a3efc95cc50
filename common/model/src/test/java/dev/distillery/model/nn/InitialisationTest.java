package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.model.format.ModelConfig;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InitialisationTest {
  private static final ModelConfig LLAMA =
      ModelConfig.llama()
          .vocabSize(120)
          .hiddenSize(48)
          .intermediateSize(96)
          .layers(4)
          .heads(4)
          .kvHeads(2)
          .maxPositions(32)
          .attentionBias(true)
          .build();
  private static final ModelConfig GPT2 =
      ModelConfig.gpt2()
          .vocabSize(120)
          .hiddenSize(48)
          .intermediateSize(192)
          .layers(4)
          .heads(4)
          .maxPositions(40)
          .build();

  private static Map<String, float[]> fresh(ModelConfig config, long seed) {
    try (Kernels kernels = new PortableKernels();
        Parameters parameters = Weights.fresh(config, kernels, seed)) {
      assertThat(parameters.frozen().size()).isZero();
      Map<String, float[]> values = new HashMap<>();
      for (Slot slot : parameters.slots()) {
        values.put(slot.name(), parameters.get(slot.name()).toArray());
      }
      return values;
    }
  }

  private static double deviation(float[] values) {
    double squares = 0;
    for (float v : values) {
      squares += (double) v * v;
    }
    return Math.sqrt(squares / values.length);
  }

  /** Five standard errors of a deviation, sigma / sqrt(2 n). */
  private static void assertDeviation(float[] values, double expected) {
    double tolerance = 5 * expected / Math.sqrt(2.0 * values.length);
    assertThat(deviation(values)).isCloseTo(expected, within(tolerance));
  }

  @Test
  void matricesOfLlamaAreNormalGainsOneAndBiasesZero() {
    Map<String, float[]> weights = fresh(LLAMA, 1);
    weights.forEach(
        (name, values) -> {
          if (name.endsWith("norm.weight")) {
            assertThat(values).as(name).containsOnly(1);
          } else if (name.endsWith(".bias")) {
            assertThat(values).as(name).containsOnly(0);
          } else {
            assertDeviation(values, 0.02);
          }
        });
    assertThat(weights).containsKeys("model.layers.3.self_attn.qkv.bias", "model.norm.weight");
  }

  @Test
  void projectionsIntoTheResidualStreamOfGpt2AreScaledByTheirNumber() {
    Map<String, float[]> weights = fresh(GPT2, 1);
    double scaled = 0.02 / Math.sqrt(8);
    for (int i = 0; i < 4; i++) {
      String layer = "transformer.h." + i + ".";
      assertDeviation(weights.get(layer + "attn.c_proj"), scaled);
      assertDeviation(weights.get(layer + "mlp.c_proj"), scaled);
      assertDeviation(weights.get(layer + "attn.c_attn"), 0.02);
      assertDeviation(weights.get(layer + "mlp.c_fc"), 0.02);
      assertThat(weights.get(layer + "ln_1.weight")).containsOnly(1);
      assertThat(weights.get(layer + "ln_1.bias")).containsOnly(0);
    }
    assertDeviation(weights.get("transformer.wpe.weight"), 0.02);
  }

  @Test
  void aValueDependsOnSeedNameAndPlaceOnly() {
    Map<String, float[]> whole = fresh(LLAMA, 7);
    List<Slot> reversed = new ArrayList<>(DecoderLayout.slots(LLAMA));
    Collections.reverse(reversed);
    try (Kernels kernels = new PortableKernels();
        Parameters half =
            Parameters.allocate(kernels, reversed, slot -> slot.name().contains("mlp"))) {
      Weights.initialise(half.trainable(), LLAMA, 7);
      for (Slot slot : half.trainable().slots()) {
        float[] values = half.get(slot.name()).toArray();
        assertThat(values).as(slot.name()).isEqualTo(whole.get(slot.name()));
      }
    }
    Map<String, float[]> other = fresh(LLAMA, 8);
    String first = "model.layers.0.mlp.down_proj";
    assertThat(other.get(first)).isNotEqualTo(whole.get(first));
    assertThat(whole.get("model.layers.1.mlp.down_proj")).isNotEqualTo(whole.get(first));
  }
}
