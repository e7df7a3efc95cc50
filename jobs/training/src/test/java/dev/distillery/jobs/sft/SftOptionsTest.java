package dev.distillery.jobs.sft;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import dev.distillery.training.run.TrainingOptions;
import dev.distillery.training.tokens.TokenOptions;
import org.junit.jupiter.api.Test;

class SftOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(SftOptions.class, RunOptions.class, TrainingOptions.class, TokenOptions.class)
        .defaults(
            """
            template
            train-on all-turns
            show 0
            """)
        .arrive(
            """
            template chatml
            train-on last-turn
            show 3
            dry-run true
            model m
            output-dir o
            input a.jsonl
            """);
  }
}
