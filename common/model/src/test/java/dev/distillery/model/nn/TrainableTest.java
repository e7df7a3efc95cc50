package dev.distillery.model.nn;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.model.format.ModelConfig;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

class TrainableTest {
  private static final ModelConfig TIED = Golden.config("llama-gqa31-tied");
  private static final ModelConfig UNTIED = Golden.config("llama-gqa42-untied-bias");
  private static final ModelConfig CLASSIFIER = TIED.toBuilder().labels(3).build();
  private static final LoraConfig LORA = new LoraConfig(2, 4, 0, List.of("q_proj", "up_proj"));

  private static Set<String> trained(Trainable trainable, ModelConfig config) {
    Optional<LoraConfig> lora = trainable == Trainable.LORA ? Optional.of(LORA) : Optional.empty();
    return trainable.trained(config, trainable.added(config, lora));
  }

  @Test
  void whatIsTrainedFollowsFromTheChoice() {
    assertThat(trained(Trainable.FULL, TIED)).hasSameSizeAs(DecoderLayout.slots(TIED));
    assertThat(trained(Trainable.LORA, TIED))
        .hasSize(2 * 2 * TIED.layers())
        .allMatch(name -> name.contains("q_proj.lora_") || name.contains("up_proj.lora_"));
    assertThat(trained(Trainable.LORA, CLASSIFIER)).contains("score.weight");
    assertThat(trained(Trainable.HEAD, CLASSIFIER)).containsExactly("score.weight");
    assertThat(trained(Trainable.HEAD, UNTIED)).containsExactly("lm_head.weight");
    assertThat(trained(Trainable.NONE, CLASSIFIER)).isEmpty();
  }

  @Test
  void whatCannotBeTrainedIsRefused() {
    assertThatThrownBy(() -> trained(Trainable.HEAD, TIED))
        .hasMessageContaining("is its token embedding");
    assertThatThrownBy(() -> Trainable.FULL.added(TIED, Optional.of(LORA)))
        .hasMessage("Adapters are configured but FULL is trained");
    assertThatThrownBy(() -> Trainable.LORA.added(TIED, Optional.empty()))
        .hasMessage("Training adapters needs their configuration");
    LoraConfig misspelt = new LoraConfig(2, 4, 0, List.of("q_proj", "v_prj"));
    assertThatThrownBy(() -> DecoderLayout.slots(TIED, misspelt))
        .hasMessage(
            "The model has no linear layer called v_prj to adapt: name some of q_proj, k_proj,"
                + " v_proj, o_proj, gate_proj, up_proj, down_proj");
  }
}
