package dev.distillery.jobs.sft;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import org.junit.jupiter.api.Test;

class SftOptionsTest {
  @Test
  void everyOptionHasItsDefault() {
    OptionsKit.of(SftOptions.class, RunOptions.class, TrainingOptions.class, TokenOptions.class)
        .defaults(
            """
            template (none)
            template-date (none)
            template-args {}
            train-on all-turns
            distill (none)
            distill-beta 0.0
            distill-temperature 1.0
            max-classes 1000
            aux-lm-weight (none)
            max-rows (none)
            show 0
            """);
  }
}
