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
            format html
            serve false
            raters (none)
            ratings-per-item 1
            votes (none)
            host 127.0.0.1
            port 0
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
            format label-studio
            serve true
            raters ann,ben
            ratings-per-item 2
            votes votes.jsonl
            host 0.0.0.0
            port 8080
            collect ratings.jsonl
            """);
  }

  @Test
  void namesOfRatersAreStripped() {
    var options =
        RateOptions.builder().input(List.of("rating_items")).serve(true).votes(Optional.of("v"));
    assertThat(options.raters(List.of("ann", " ben ")).build().raters())
        .containsExactly("ann", "ben");
    assertThat(options.raters(List.of("ann", "ann ")).build().violations())
        .anyMatch(said -> said.startsWith("Option --raters: expected different names, 1"));
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
    assertThat(
            RateOptions.builder()
                .input(List.of("rating_items"))
                .serve(true)
                .raters(List.of("ann", "ann"))
                .form(RateForm.AUDIT)
                .attention(List.of("t.jsonl"))
                .build()
                .violations())
        .anyMatch(said -> said.startsWith("Option --votes is required with --serve"))
        .anyMatch(said -> said.startsWith("Option --raters: expected different names, 1"))
        .anyMatch(
            said -> said.startsWith("Options --form and --format have no effect with --serve"))
        .anyMatch(said -> said.startsWith("Options --against and --attention have no effect"));
  }
}
