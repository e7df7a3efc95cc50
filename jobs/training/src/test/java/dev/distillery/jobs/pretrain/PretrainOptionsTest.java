package dev.distillery.jobs.pretrain;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import org.junit.jupiter.api.Test;

class PretrainOptionsTest {
  @Test
  void everyOptionHasItsDefault() {
    OptionsKit.of(
            PretrainOptions.class, RunOptions.class, TrainingOptions.class, TokenOptions.class)
        .defaults(
            """
            tokenizer-from (none)
            vocab-size (none)
            show 0
            """);
  }
}
