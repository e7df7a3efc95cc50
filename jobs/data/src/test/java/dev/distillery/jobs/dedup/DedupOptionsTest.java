package dev.distillery.jobs.dedup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DedupOptionsTest {
  private final OptionsBinder<DedupOptions> binder = OptionsBinder.of(DedupOptions.class);

  @Test
  void defaultsAreThoseOfTheManual() {
    DedupOptions options = binder.bind(Map.of("input", List.of("instructions")));
    assertThat(options.input()).containsExactly("instructions");
    assertThat(options.table()).isEqualTo("instructions");
    assertThat(options.columns()).isEmpty();
    assertThat(options.groupBy()).isEmpty();
    assertThat(options.orderBy()).isEmpty();
    assertThat(options.against()).isEmpty();
    assertThat(options.metric()).isEqualTo(DedupOptions.Metric.ROUGE_L);
    assertThat(options.threshold()).isEqualTo(0.7);
    assertThat(options.tokenizer()).isEqualTo("rouge");
    assertThat(options.outputTable()).isEmpty();
    assertThat(options.minhashTables()).isEqualTo(16);
    assertThat(options.evaluate()).isFalse();
  }

  @Test
  void everyOptionArrives() {
    DedupOptions options =
        binder.bind(
            Map.ofEntries(
                Map.entry("input", List.of("a.jsonl", "b.jsonl")),
                Map.entry("table", List.of("documents")),
                Map.entry("columns", List.of("text,url")),
                Map.entry("group-by", List.of("url")),
                Map.entry("order-by", List.of("score,url")),
                Map.entry("against", List.of("documents@run1")),
                Map.entry("metric", List.of("minhash")),
                Map.entry("threshold", List.of("0.8")),
                Map.entry("tokenizer", List.of("unicode")),
                Map.entry("output-table", List.of("clean")),
                Map.entry("minhash-tables", List.of("4")),
                Map.entry("evaluate", List.of("true"))));
    assertThat(options.input()).containsExactly("a.jsonl", "b.jsonl");
    assertThat(options.table()).isEqualTo("documents");
    assertThat(options.columns()).containsExactly("text", "url");
    assertThat(options.groupBy()).contains("url");
    assertThat(options.orderBy()).containsExactly("score", "url");
    assertThat(options.against()).containsExactly("documents@run1");
    assertThat(options.metric()).isEqualTo(DedupOptions.Metric.MINHASH);
    assertThat(options.threshold()).isEqualTo(0.8);
    assertThat(options.tokenizer()).isEqualTo("unicode");
    assertThat(options.outputTable()).contains("clean");
    assertThat(options.minhashTables()).isEqualTo(4);
    assertThat(options.evaluate()).isTrue();
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
                        "output-table", List.of("duplicates"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("7 problems")
        .hasMessageContaining("--input is required")
        .hasMessageContaining("--threshold: expected 0 to 1, found 1.5")
        .hasMessageContaining("--tokenizer: expected one of rouge, unicode, found 'bpe'")
        .hasMessageContaining("--minhash-tables: expected 1 to 1024, found 0")
        .hasMessageContaining("--evaluate: expected only with --metric minhash, found --metric rouge-l; leave it out")
        .hasMessageContaining("--output-table: expected a name");
  }
}
