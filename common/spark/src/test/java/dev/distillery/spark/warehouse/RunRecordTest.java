package dev.distillery.spark.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RunRecordTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private static RunRecord record() {
    return new RunRecord(
        RunRecord.VERSION,
        "dedup",
        "a1",
        "done",
        0,
        "",
        "2026-11-28T10:00:00Z",
        "2026-11-28T10:00:05Z",
        JSON.createObjectNode().put("job", "dedup"),
        Map.of(
            "documents",
            new RunRecord.WrittenTable(
                "w/documents/run_id=a1",
                3,
                List.of(new RunRecord.WrittenFile("part-0.parquet", 700)),
                700,
                "id STRING")),
        Map.of("documents", Map.of("MIT", 3L)),
        List.of(new RunRecord.Origin("documents", "ours", "MIT", 3, null, null, null, null, null)),
        List.of(JSON.createObjectNode().put("ref", "documents@a0")),
        Map.of("driver", "1@host"),
        Map.of("threshold", "0.7", "warehouse", "w"),
        Map.of("threshold", "0.7"),
        Map.of("spark", "4.1.0"),
        "local-1",
        1);
  }

  @Test
  void isReadBackAsItWasWritten() {
    assertThat(RunRecord.parse("a1.json", record().toJson())).isEqualTo(record());
  }

  @Test
  void hasItsMembersByTheirNames() throws Exception {
    assertThat(JSON.readTree(record().toJson()).fieldNames())
        .toIterable()
        .containsExactly(
            "version",
            "job",
            "run_id",
            "status",
            "exit_code",
            "started_at",
            "finished_at",
            "summary",
            "tables",
            "licenses",
            "origins",
            "inputs",
            "provenance",
            "options",
            "decisive_options",
            "versions",
            "spark_application_id",
            "generation");
    assertThat(JSON.readTree(record().toJson()).path("origins").path(0).fieldNames())
        .toIterable()
        .containsExactly("table", "source", "license", "rows");
  }

  @Test
  void anOlderRecordLacksWhatCameLater() {
    RunRecord old =
        RunRecord.parse(
            "a1.json",
            "{\"job\":\"dedup\",\"run_id\":\"a1\",\"status\":\"done\",\"finished_at\":\"2026\","
                + "\"tables\":{\"documents\":{\"path\":\"p\",\"rows\":3,\"files\":[],\"bytes\":9,"
                + "\"schema\":\"id STRING\"}},\"summary\":{\"figures\":{\"in\":3}}}");
    assertThat(old.version()).isZero();
    assertThat(old.done()).isTrue();
    assertThat(old.has("documents")).isTrue();
    assertThat(old.summary().path("figures").path("in").asInt()).isEqualTo(3);
    assertThat(old.origins()).isEmpty();
    assertThat(old.decisiveOptions()).isEmpty();
  }

  @Test
  void aNewerRecordIsRefusedInWordsAndANewMemberIsNot() throws Exception {
    ObjectNode newer = (ObjectNode) JSON.readTree(record().toJson());
    newer.put("colour", "red");
    assertThat(RunRecord.parse("a1.json", newer.toString())).isEqualTo(record());
    newer.put("version", RunRecord.VERSION + 1);
    assertThatThrownBy(() -> RunRecord.parse("_runs/a1.json", newer.toString()))
        .hasMessage(
            "The run record _runs/a1.json is of version 2, and this Distillery reads versions up to"
                + " 1: use the Distillery that wrote it, or a newer one");
  }

  @Test
  void whatIsNoRecordIsNamed() {
    assertThatThrownBy(() -> RunRecord.parse("_runs/x.json", "{}"))
        .hasMessage("The run record _runs/x.json has no run_id");
    assertThatThrownBy(() -> RunRecord.parse("_runs/x.json", "{"))
        .hasMessageStartingWith("The run record _runs/x.json is not JSON of a run: ");
  }

  /** As where a hand or another program wrote it: the run would end in a defect's words later. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "'status': null",
        "'generation': null",
        "'tables': {'documents': null}",
        "'tables': {'documents': {'path': 'p', 'rows': 1, 'files': null, 'bytes': 1, 'schema':"
            + " ''}}",
        "'licenses': {'documents': null}",
        "'origins': [null]",
        "'origins': [{'table': 'documents', 'source': null, 'license': 'MIT', 'rows': 1}]",
        "'options': {'threshold': null}"
      })
  void aRecordWithANullIsNamed(String member) {
    String text = "{'run_id': 'x', %s}".formatted(member).replace('\'', '"');
    assertThatThrownBy(() -> RunRecord.parse("_runs/x.json", text))
        .hasMessageStartingWith("The run record _runs/x.json is not JSON of a run: ");
  }

  @Test
  void aTableOfAnOlderRecordLacksWhatItDidNotTell() {
    RunRecord record =
        RunRecord.parse(
            "x.json", "{'run_id': 'x', 'tables': {'t': {'rows': 3}}}".replace('\'', '"'));
    assertThat(record.tables())
        .isEqualTo(Map.of("t", new RunRecord.WrittenTable("", 3, List.of(), 0, "")));
  }

  @Test
  void whatIsNotKnownOfAnOriginMayBeNull() {
    String origin = "{'table': 't', 'source': 's', 'license': 'MIT', 'rows': 1, 'url': null}";
    RunRecord record =
        RunRecord.parse(
            "x.json", "{'run_id': 'x', 'origins': [%s]}".formatted(origin).replace('\'', '"'));
    assertThat(record.origins())
        .containsExactly(new RunRecord.Origin("t", "s", "MIT", 1, null, null, null, null, null));
  }
}
