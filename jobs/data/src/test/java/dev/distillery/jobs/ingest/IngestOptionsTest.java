package dev.distillery.jobs.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IngestOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(IngestOptions.class, RunOptions.class)
        .defaults(
            """
            source (required)
            input (required)
            license (none)
            source-name (none)
            rules fastchat
            html auto
            keep-language (none)
            skip-language (none)
            max-tokens 0
            bytes-per-token 4.0
            site (none)
            pairs-per-question 10
            negative-accepted-score -1
            binarized false
            drop-refused false
            max-row-bytes 16777216
            max-expansion 1000
            split-bytes 33554432
            """)
        .arrive(
            """
            source stackexchange
            input Posts.xml
            license CC0-1.0
            source-name ours
            rules koala
            html always
            keep-language en,de
            skip-language fr
            max-tokens 2048
            bytes-per-token 3.5
            site coffee.stackexchange.com
            pairs-per-question 3
            negative-accepted-score 0
            binarized true
            drop-refused true
            max-row-bytes 1024
            max-expansion 2
            split-bytes 1024
            """);
  }

  @Test
  void anotherSourcesOptionsAreRefused() {
    assertThat(
            OptionsBinder.of(IngestOptions.class)
                .violations(
                    Map.of(
                        "source", List.of("hc3"),
                        "input", List.of("all.jsonl"),
                        "site", List.of("coffee.stackexchange.com"),
                        "rules", List.of("koala"))))
        .containsExactly(
            "Option --rules: expected only with --source sharegpt, found --source hc3; leave it out",
            "Option --site: expected only with --source stackexchange, found --source hc3; leave it"
                + " out");
  }

  @Test
  void aBuilderThatWasNotToldAllIsRefused() {
    assertThatThrownBy(
            () -> OptionsBinder.of(IngestOptions.class).check(IngestOptions.builder().build()))
        .hasMessageContaining("2 problems")
        .hasMessageContaining("Option --source is required")
        .hasMessageContaining("Option --input is required: name files, folders or globs");
  }
}
