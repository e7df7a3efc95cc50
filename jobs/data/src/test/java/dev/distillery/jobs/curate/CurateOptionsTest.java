package dev.distillery.jobs.curate;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import org.junit.jupiter.api.Test;

class CurateOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(CurateOptions.class, RunOptions.class)
        .defaults(
            """
            input (required)
            table instructions
            output-table (none)
            """)
        .arrive(
            """
            input preferences@a
            table documents
            output-table clean
            """);
  }
}
