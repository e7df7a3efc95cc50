package dev.distillery.jobs.dedup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.RunOptions;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DedupOptionsTest {
  private final OptionsBinder<DedupOptions> binder = OptionsBinder.of(DedupOptions.class);

  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(DedupOptions.class, RunOptions.class)
        .defaults(
            """
            input (required)
            table instructions
            columns (none)
            group-by (none)
            order-by (none)
            against (none)
            metric rouge-l
            threshold 0.7
            tokenizer rouge
            output-table (none)
            minhash-tables 16
            evaluate false
            neighbors 0
            neighbors-above 0.5
            """)
        .arrive(
            """
            input a.jsonl
            table documents
            columns text,url
            group-by url
            order-by score,url
            against documents@run1
            metric minhash
            threshold 0.8
            tokenizer unicode
            output-table clean
            minhash-tables 4
            evaluate true
            neighbors 3
            neighbors-above 0.4
            """);
  }

  @Test
  void theBuilderStartsFromTheDefaults() {
    assertThat(DedupOptions.builder().input(List.of("a")).threshold(0.8).groupBy("url").build())
        .isEqualTo(
            binder.bind(
                Map.of(
                    "input",
                    List.of("a"),
                    "threshold",
                    List.of("0.8"),
                    "group-by",
                    List.of("url"))));
  }

  @Test
  void allThatIsWrongIsListedAtOnce() {
    assertThatThrownBy(
            () ->
                binder.bind(
                    Map.of(
                        "threshold", List.of("1.5"),
                        "tokenizer", List.of("bpe"),
                        "minhash-tables", List.of("0"),
                        "evaluate", List.of("true"),
                        "neighbors-above", List.of("0.4"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("7 problems")
        .hasMessageContaining("--input is required")
        .hasMessageContaining("--threshold: expected 0 to 1, found 1.5")
        .hasMessageContaining("--tokenizer: expected one of rouge, unicode, found 'bpe'")
        .hasMessageContaining("--minhash-tables: expected 1 to 1024, found 0")
        .hasMessageContaining(
            "--evaluate: expected only with --metric minhash, found --metric rouge-l; leave it out")
        .hasMessageContaining(
            "--neighbors-above: expected only with --neighbors, found --neighbors 0");
  }
}
