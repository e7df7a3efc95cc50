package dev.distillery.core.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

class RecipeTest {
  private static final List<String> JOBS = List.of("generate", "dedup");
  private static final List<String> OPTIONS = List.of("threshold", "columns", "warehouse");

  private static Object read(String text) {
    return Recipe.read("r.yaml", text, "dedup", JOBS, OPTIONS);
  }

  @Test
  void aJobsOwnSectionStandsOverTheTop() {
    assertThat(
            Recipe.read(
                "r.yaml",
                """
                warehouse: s3a://bucket/w
                threshold: 0.5
                dedup:
                  threshold: 0.8
                  columns: [a, b]
                generate:
                  num-instructions: 3
                """,
                "dedup",
                JOBS,
                OPTIONS))
        .containsEntry("warehouse", List.of("s3a://bucket/w"))
        .containsEntry("threshold", List.of("0.8"))
        .containsEntry("columns", List.of("a", "b"));
  }

  @Test
  void aMappingIsTheOptionsValueAsJson() {
    assertThat(Recipe.read("r.yaml", "columns: {a: 1, b: [x]}\n", "dedup", JOBS, OPTIONS))
        .containsEntry("columns", List.of("{\"a\":1,\"b\":[\"x\"]}"));
  }

  @Test
  void aValueIsWhatIsWritten() {
    assertThat(
            Recipe.read(
                "r.yaml",
                "threshold: 1.10\ncolumns: [010, 1_000, no, ~x, 0x1F]\nwarehouse: &w a\n",
                "dedup",
                JOBS,
                OPTIONS))
        .containsEntry("threshold", List.of("1.10"))
        .containsEntry("columns", List.of("010", "1_000", "no", "~x", "0x1F"))
        .containsEntry("warehouse", List.of("a"));
    assertThat(Recipe.read("r.yaml", "columns: {a: 1.10, b: 'no'}\n", "dedup", JOBS, OPTIONS))
        .containsEntry("columns", List.of("{\"a\":1.10,\"b\":\"no\"}"));
  }

  @Test
  void whatIsNotWrittenOutIsRefused() {
    assertThatThrownBy(() -> read("warehouse: &w a\nthreshold: *w\n"))
        .hasMessage("r.yaml:2: the alias '*w' is not read; write the value itself");
    assertThatThrownBy(() -> read("threshold: 1\n---\nthreshold: 2\n"))
        .hasMessageContaining("a second document begins");
    assertThatThrownBy(() -> read("dedup: &d {threshold: 1}\n<<: {columns: a}\n"))
        .hasMessageContaining("the merge '<<' is not read");
    assertThatThrownBy(() -> read("columns: {a: 010}\n"))
        .hasMessageContaining("Option 'columns.a': 010 is no number or truth value in JSON");
  }

  @Test
  void namesTheNearestKnownOptionAndListsAllThatIsWrong() {
    assertThatThrownBy(() -> read("treshold: 1\ncolumns: [[a]]\n"))
        .hasMessageContaining("r.yaml: Unknown option 'treshold'; did you mean threshold?")
        .hasMessageContaining("r.yaml: Option 'columns': expected a value or a list of values");
    assertThatThrownBy(() -> read("columns: [a, null]\n"))
        .hasMessageContaining(
            "'columns': expected a value or a list of values, found [\"a\",null]");
  }

  @Test
  void namesTheLineThatIsNotYaml() {
    assertThatThrownBy(() -> read("threshold: 1\ncolumns: [a\n"))
        .hasMessageContaining("r.yaml:")
        .hasMessageContaining("Not YAML");
    assertThatThrownBy(() -> read("- a\n")).hasMessageContaining("Expected a mapping");
    assertThatThrownBy(() -> read("threshold: 1\nthreshold: 2\n"))
        .hasMessageContaining("Duplicate");
  }

  @Test
  void aPipelinesRecipeIsToldApart() {
    assertThatThrownBy(() -> read("stages: {one: {job: dedup}}\n"))
        .hasMessageContaining("r.yaml: Holds stages, so it is for the job pipeline");
  }
}
