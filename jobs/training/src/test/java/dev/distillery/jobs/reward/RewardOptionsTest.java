package dev.distillery.jobs.reward;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import org.junit.jupiter.api.Test;

class RewardOptionsTest {
  @Test
  void everyOptionHasItsDefault() {
    OptionsKit.of(RewardOptions.class, RunOptions.class, TrainingOptions.class, TokenOptions.class)
        .defaults(
            """
            template (none)
            template-date (none)
            template-args {}
            center-rewards 0.0
            normalize-input (none)
            show 0
            """);
  }
}
