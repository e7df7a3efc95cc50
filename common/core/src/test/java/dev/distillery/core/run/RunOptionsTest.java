package dev.distillery.core.run;

import org.junit.jupiter.api.Test;

class RunOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(RunOptions.class)
        .defaults(
            """
            warehouse warehouse
            run-id (none)
            config (none)
            random-seed 42
            dry-run false
            use (none)
            publish-partial false
            overwrite false
            grace (none)
            exit-on-signal (none)
            """)
        .arrive(
            """
            warehouse /w
            run-id r1
            config c.yaml
            random-seed 7
            dry-run true
            use commercial
            publish-partial true
            overwrite true
            grace 90
            exit-on-signal 75
            """);
  }
}
