package dev.distillery.jobs.dpo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DpoOptionsTest {
  @Test
  void everyOptionHasItsDefault() {
    OptionsKit.of(DpoOptions.class, RunOptions.class, TrainingOptions.class, TokenOptions.class)
        .defaults(
            """
            template (none)
            template-date (none)
            template-args {}
            loss sigmoid
            beta (none)
            simpo-gamma 1.0
            label-smoothing 0.0
            ref-model (none)
            show 0
            """);
  }

  private static DpoOptions options(Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of("m"));
    values.put("output-dir", List.of("o"));
    values.put("input", List.of("preferences"));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return OptionsBinder.of(DpoOptions.class).bind(values);
  }

  @Test
  void theRateIsThatOfDpoAndNothingIsDropped() {
    assertThat(options(Map.of()).trained().learningRate()).isEqualTo(1e-6);
    var lora = options(Map.of("trainable", "lora")).trained();
    assertThat(lora.learningRate()).isEqualTo(1e-5);
    assertThat(lora.lora().dropout()).isZero();
    assertThat(options(Map.of()).preference().toLoss().beta()).isEqualTo(0.1);
    var simpo = options(Map.of("loss", "simpo")).preference().toLoss();
    assertThat(simpo.beta()).isEqualTo(2);
    assertThat(simpo.gamma()).isEqualTo(1);
    assertThat(options(Map.of("learning-rate", "0.25")).trained().optimizer().learningRate())
        .isEqualTo(Optional.of(0.25));
  }
}
