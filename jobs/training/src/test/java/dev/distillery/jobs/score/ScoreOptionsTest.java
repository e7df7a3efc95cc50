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
            template-date (none)
            template-args {}
            best-of (none)
            """)
        .arrive(
            """
            model out/reward
            input completions
            template chatml
            template-date 2026-11-29
            template-args {"a":1}
            best-of 4
            """);
  }
}
