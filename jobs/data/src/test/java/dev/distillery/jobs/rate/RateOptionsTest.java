package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RateOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(RateOptions.class, RunOptions.class)
        .defaults(
            """
            input (required)
            against (none)
            form pairwise
            num-items 200
            attention (none)
            guidelines (none)
            output (none)
            collect (none)
            """)
        .arrive(
            """
            input a.jsonl
            against b.jsonl
            form ranking
            num-items 20
            attention tests.jsonl
            guidelines how.txt
            output page.html
            collect ratings.jsonl
            """);
  }

  @Test
  void whatContradictsItselfIsNamed() {
    var options = RateOptions.builder().input(List.of("a.jsonl"));
    assertThat(options.build().violations())
        .anyMatch(said -> said.startsWith("Option --against is required with --form pairwise"))
        .anyMatch(said -> said.startsWith("Option --output is required where a page is made"));
    assertThat(
            options
                .output(Optional.of("page.html"))
                .collect(List.of("ratings.jsonl"))
                .build()
                .violations())
        .anyMatch(said -> said.startsWith("Option --output has no effect with --collect"));
  }
}
