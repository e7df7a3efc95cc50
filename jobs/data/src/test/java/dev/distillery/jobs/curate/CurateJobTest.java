package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CurateJobTest {
  @TempDir Path folder;
  private Path rows;

  @BeforeEach
  void write() throws IOException {
    rows = folder.resolve("rows.jsonl");
    Files.writeString(
        rows,
        row("a", "dolly", "CC-BY-SA-3.0")
            + row("b", "alpaca", "CC-BY-NC-4.0")
            + row("c", "alpaca", "CC-BY-NC-4.0")
            + row("d", "our-own", "MIT"));
  }

  private static String row(String id, String source, String license) {
    return """
        {"id": "%1$s", "task_id": "%1$s", "instruction": "Say %1$s.", "input": "", "output": "%1$s", \
        "source": "%2$s", "license": "%3$s"}
        """
        .formatted(id, source, license);
  }

  private CurateSummary curate(Map<String, String> options) {
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", List.of(rows.toString()));
    options.forEach((name, value) -> given.put(name, List.of(value)));
    return new CurateJob()
        .run(LocalSpark.session(), OptionsBinder.of(CurateOptions.class).bind(given));
  }

  private static Dataset<Row> table(CurateSummary summary, String name) {
    return LocalSpark.session().read().parquet(summary.tables().get(name).path());
  }

  private static List<String> column(Dataset<Row> rows, String name) {
    return rows.sort("id").select(name).collectAsList().stream()
        .map(row -> row.getString(0))
        .toList();
  }

  @Test
  void dropsWhatCommerceMayNotUseAndSaysWhy() {
    CurateSummary summary = curate(Map.of("use", "commercial", "run-id", "c1"));

    assertThat(column(table(summary, "instructions"), "id")).containsExactly("a", "d");
    Dataset<Row> rejects = table(summary, "rejects");
    assertThat(column(rejects, "id")).containsExactly("b", "c");
    assertThat(column(rejects, "rule")).containsOnly("license");
    assertThat(column(rejects, "detail")).containsOnly("CC-BY-NC-4.0 forbids commercial use");
    assertThat(column(rejects, "row")).allMatch(row -> row.contains("\"instruction\":\"Say "));
    assertThat(summary.rejects()).isEqualTo(Map.of("license", 2L));
    assertThat(summary.in()).isEqualTo(4L);
    assertThat(summary.kept()).isEqualTo(2L);
  }

  @Test
  void theRecordListsSourcesTermsAndWhoIsToBeNamed() {
    curate(Map.of("use", "commercial", "run-id", "c1"));
    Warehouse warehouse =
        Warehouse.at(
            folder.resolve("wh").toString(),
            LocalSpark.session().sparkContext().hadoopConfiguration());
    RunRecord record = new RunRecords(warehouse).find("c1").orElseThrow();
    assertThat(record.licenses())
        .isEqualTo(Map.of("instructions", Map.of("CC-BY-SA-3.0", 1L, "MIT", 1L)));
    RunRecord.Origin dolly = record.origins().get(0);
    assertThat(dolly.source()).isEqualTo("dolly");
    assertThat(dolly.rows()).isEqualTo(1);
    assertThat(dolly.attribution()).isEqualTo("source");
    assertThat(dolly.commercialUse()).isEqualTo("yes");
    assertThat(dolly.url()).contains("databricks-dolly-15k");
    assertThat(record.origins().get(1).source()).isEqualTo("our-own");
    assertThat(record.origins().get(1).terms()).isNull();
  }

  @Test
  void researchKeepsEveryRow() {
    CurateSummary summary = curate(Map.of("use", "research"));
    assertThat(table(summary, "instructions").count()).isEqualTo(4);
    assertThat(summary.rejects()).isEmpty();
  }

  @Test
  void aTableOfWhichNothingMayBeUsedIsRefused() throws IOException {
    Files.writeString(rows, row("b", "alpaca", "CC-BY-NC-4.0"));
    assertThatThrownBy(() -> curate(Map.of("use", "commercial")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("No row may be used: {CC-BY-NC-4.0 forbids commercial use=1}");
  }

  @Test
  void aTableWithoutLicensesIsRefused() {
    assertThatThrownBy(() -> curate(Map.of("table", "logprobs")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Table logprobs has no columns source and license");
  }

  @Test
  void refusesANameThatIsAnotherTablesBeforeARunBegins() {
    for (String name :
        List.of("rejects", "Duplicates", "conversations", "../escaped", "/abs", "")) {
      assertThatThrownBy(() -> curate(Map.of("run-id", "c1", "output-table", name)))
          .isInstanceOf(JobException.class)
          .hasMessageStartingWith("Option --output-table: '" + name + "' is ");
    }
    assertThat(folder.resolve("wh")).doesNotExist();
    assertThat(curate(Map.of("run-id", "c1", "output-table", "clean")).tables().get("clean").rows())
        .isEqualTo(4);
  }
}
