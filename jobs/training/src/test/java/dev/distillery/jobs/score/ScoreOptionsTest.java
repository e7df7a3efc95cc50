package dev.distillery.jobs.score;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import org.junit.jupiter.api.Test;

class ScoreOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(ScoreOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            input (required)
            template (none)
            best-of (none)
            """)
        .arrive(
            """
            model out/reward
            input completions
            template chatml
            best-of 4
            """);
  }
}
