package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Filters, redaction and decontamination, on rows of every table that has texts. */
class CurateFiltersTest {
  @TempDir Path folder;

  private Path file(String name, String... lines) throws IOException {
    return Files.writeString(folder.resolve(name), String.join("\n", lines) + "\n");
  }

  private CurateSummary curate(Path input, String table, Map<String, List<String>> options) {
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", List.of(input.toString()));
    given.put("table", List.of(table));
    given.putAll(options);
    return new CurateJob()
        .run(LocalSpark.session(), OptionsBinder.of(CurateOptions.class).bind(given));
  }

  private static List<String> strings(CurateSummary summary, String table, String... columns) {
    return rows(summary, table).selectExpr(columns).collectAsList().stream()
        .map(row -> row.mkString(" | "))
        .sorted()
        .toList();
  }

  private static Dataset<Row> rows(CurateSummary summary, String table) {
    return LocalSpark.session().read().parquet(summary.tables().get(table).path());
  }

  private Path instructions() throws IOException {
    return file(
        "rows.jsonl",
        "{'id':'a','instruction':'Name a fruit.','input':'','output':'Apple, a fruit of trees.'}",
        "{'id':'b','instruction':'Name a fruit.','input':'No input','output':'A pear it is.'}",
        "{'id':'c','instruction':'Name a fruit.','input':'','output':''}",
        "{'id':'d','instruction':'Help me.','input':'','output':'Sorry, but I can’t do that.'}",
        "{'id':'e','instruction':'Add.','input':'2 + 2','output':'2 + 2 = 5, write jo@x.org.'}",
        "{'id':'f','instruction':'Mail whom?','input':'','output':'Write to jo@x.org or"
            + " ann@y.org.'}",
        "{'id':'g','instruction':'Say it.','input':'','output':null}");
  }

  private static Path quoted(Path file) throws IOException {
    return Files.writeString(file, Files.readString(file).replace('\'', '"').replace('’', '\''));
  }

  @Test
  void filtersDropRowsByRuleAndNothingIsLost() throws IOException {
    CurateSummary summary =
        curate(
            quoted(instructions()),
            "instructions",
            Map.of(
                "filter", List.of("alpaca-cleaned", "refusal", "length:min-words=3,of=answer"),
                "redact", List.of("email"),
                "run-id", List.of("f1")));

    assertThat(strings(summary, "instructions", "id", "output"))
        .containsExactly("a | Apple, a fruit of trees.", "f | Write to [EMAIL] or [EMAIL].");
    assertThat(strings(summary, "rejects", "id", "rule", "detail"))
        .containsExactly(
            "b | no_input | No input",
            "c | empty_output | an answer is empty",
            "d | refusal | sorry but i can t",
            "e | wrong_arithmetic | 2 + 2 = 5",
            "g | empty_output | an answer is empty");
    assertThat(strings(summary, "rejects", "row")).noneMatch(row -> row.contains("jo@x.org"));
    assertThat(summary.rejects())
        .isEqualTo(
            Map.of("no_input", 1L, "empty_output", 2L, "refusal", 1L, "wrong_arithmetic", 1L));
    assertThat(summary.in()).isEqualTo(7);
    assertThat(summary.kept()).isEqualTo(2);
    assertThat(summary.figures()).containsEntry("redacted_email", 2L);
  }

  @Test
  void aDryRunSaysWhatEachRuleWouldDrop() throws IOException {
    CurateSummary summary =
        curate(
            quoted(instructions()),
            "instructions",
            Map.of("filter", List.of("alpaca-cleaned"), "dry-run", List.of("true")));
    assertThat(summary.dropped())
        .isEqualTo(Map.of("no_input", 1L, "empty_output", 2L, "wrong_arithmetic", 1L));
    assertThat(summary.kept()).isEqualTo(3);
    assertThat(summary.inputs().values()).containsExactly(3L);
    assertThat(summary.tables()).isEmpty();
  }

  @Test
  void dialoguesAreJudgedByTheirTurnsAndRedactedInCallsToo() throws IOException {
    Path rows =
        file(
            "dialogues.jsonl",
            """
            {"id":"a","messages":[{"role":"user","content":"Call 212-555-0187 for me."},\
            {"role":"assistant","content":"Done.","tool_calls":"[{\\"number\\":\\"212-555-0187\\",\\"n\\":2125550187}]"}]}\
            """,
            """
            {"id":"b","messages":[{"role":"user","content":"I must decline."},{"role":"assistant","content":"As an AI language model, I rest."}]}\
            """);
    CurateSummary summary =
        curate(
            rows,
            "conversations",
            Map.of("filter", List.of("refusal"), "redact", List.of("phone")));
    assertThat(
            strings(
                summary,
                "conversations",
                "messages[0].content",
                "messages[1].content",
                "messages[1].tool_calls"))
        .containsExactly(
            "Call [PHONE] for me. | Done. | [{\"number\":\"[PHONE]\",\"n\":2125550187}]");
    assertThat(strings(summary, "rejects", "id", "detail"))
        .containsExactly("b | as an ai language model");
  }

  /** What is nearly JSON is redacted as a text, and what is JSON loses nothing. */
  @Test
  void whatStandsInCallsIsRedactedWhateverItsFormAndStaysWhatItWas() throws IOException {
    Map<String, String> calls = new LinkedHashMap<>();
    calls.put(
        "{\"to\":\"jo@x.org\",\"n\":0.12345678901234567890,\"m\":1.50,\"k\":12345678901234567890}",
        "{\"to\":\"[EMAIL]\",\"n\":0.12345678901234567890,\"m\":1.50,\"k\":12345678901234567890}");
    calls.put("{\"a\":1} then jo@x.org", "{\"a\":1} then [EMAIL]");
    calls.put("[1, 2] [jo@x.org]", "[1, 2] [[EMAIL]]");
    calls.put("{\"a\":\"b\",\"a\":\"jo@x.org\"}", "{\"a\":\"b\",\"a\":\"[EMAIL]\"}");
    calls.put(
        "{\"jo@x.org\":1,\"ann@x.org\":\"jo@x.org\"}", "{\"[EMAIL]\":1,\"[EMAIL]_2\":\"[EMAIL]\"}");
    calls.put("{ \"kept\" : 1e3 }", "{ \"kept\" : 1e3 }");
    var json = new ObjectMapper();
    List<String> lines = new ArrayList<>();
    List<String> wanted = new ArrayList<>();
    for (Map.Entry<String, String> call : calls.entrySet()) {
      ObjectNode row = json.createObjectNode().put("id", "c" + lines.size());
      ArrayNode messages = row.putArray("messages");
      messages.addObject().put("role", "user").put("content", "Go.");
      ArrayNode within = json.createArrayNode();
      within.addObject().put("name", "send").put("arguments", call.getKey());
      messages
          .addObject()
          .put("role", "assistant")
          .put("content", "Done.")
          .put("tool_calls", json.writeValueAsString(within));
      wanted.add("c" + lines.size() + " | " + call.getValue());
      lines.add(json.writeValueAsString(row));
    }
    CurateSummary summary =
        curate(
            file("calls.jsonl", lines.toArray(String[]::new)),
            "conversations",
            Map.of("redact", List.of("email")));
    assertThat(
            strings(
                summary,
                "conversations",
                "id",
                "get_json_object(messages[1].tool_calls, '$[0].arguments')"))
        .isEqualTo(wanted);
  }

  /**
   * Keys that become one placeholder are numbered, so that a text grows by a few digits for each.
   */
  @Test
  void manyKeysOfOneKindTakeLittleMoreRoomThanTheyHad() throws IOException {
    ObjectNode keys = new ObjectMapper().createObjectNode().put("[EMAIL]_2", "");
    for (int i = 0; i < 40_000; i++) {
      keys.put("jo" + i + "@example.org", i);
    }
    String text = keys.toString();
    assertThat(text.length()).isBetween(1_000_000, 1_100_000);
    ObjectNode row = new ObjectMapper().createObjectNode().put("id", "a");
    ArrayNode messages = row.putArray("messages");
    messages.addObject().put("role", "user").put("content", "Go.");
    ArrayNode calls = new ObjectMapper().createArrayNode();
    calls.addObject().put("name", "send").put("arguments", text);
    messages
        .addObject()
        .put("role", "assistant")
        .put("content", "Done.")
        .put("tool_calls", calls.toString());
    CurateSummary summary =
        curate(
            file("keys.jsonl", row.toString()),
            "conversations",
            Map.of("redact", List.of("email")));
    assertThat(summary.figures()).containsEntry("redacted_email", 40_000L);
    String redacted =
        strings(
                summary,
                "conversations",
                "get_json_object(messages[1].tool_calls, '$[0].arguments')")
            .get(0);
    assertThat(redacted.length()).isLessThan(text.length());
    assertThat(new ObjectMapper().readTree(redacted)).hasSize(40_001);
    assertThat(redacted)
        .contains("\"[EMAIL]\":0,\"[EMAIL]_3\":1,")
        .endsWith(",\"[EMAIL]_40001\":39999}");
  }

  @Test
  void webTextsRulesHoldForDocumentsAndC4TakesLinesOut() throws IOException {
    String text =
        "This is a sentence of some words. It goes on and on. Here is more of it.\\n"
            + "no end\\nA fourth one stands here. And a fifth.";
    Path rows =
        file(
            "documents.jsonl",
            "{\"id\":\"a\",\"text\":\"%s\",\"score\":3.0,\"url\":\"https://x.org\"}"
                .formatted(text),
            "{\"id\":\"b\",\"text\":\"%s\",\"score\":2.0,\"url\":\"https://x.org\"}"
                .formatted(text),
            "{\"id\":\"c\",\"text\":\"%s\",\"score\":9.0,\"url\":\"https://en.wikipedia.org/wiki/X\"}"
                .formatted(text),
            "{\"id\":\"d\",\"text\":\"Too short.\",\"score\":5.0,\"url\":null}");
    CurateSummary summary =
        curate(
            rows,
            "documents",
            Map.of("filter", List.of("score:min=3", "url:skip=wikipedia.org", "c4")));
    assertThat(strings(summary, "documents", "id", "text"))
        .containsExactly(
            "a | This is a sentence of some words. It goes on and on. Here is more of it.\n"
                + "A fourth one stands here. And a fifth.");
    assertThat(strings(summary, "rejects", "id", "rule"))
        .containsExactly("b | score", "c | url", "d | c4");
  }

  @Test
  void rowsThatHoldEvaluationTextsAreContaminated() throws IOException {
    String item = "Which of these seven rivers flows through the old town of Basel in the north?";
    Path rows =
        file(
            "train.jsonl",
            "{\"id\":\"a\",\"text\":\"He asked: WHICH of these seven rivers, flows through the old"
                + " town of Basel in the north; nobody knew.\"}",
            "{\"id\":\"b\",\"text\":\"Which of these seven rivers flows through another town that"
                + " we like so much?\"}",
            "{\"id\":\"c\",\"text\":\"They sang eight words of one very short question today.\"}");
    Path items =
        file(
            "eval.jsonl",
            "{\"id\":\"q1\",\"question\":\"%s\",\"choices\":[\"Rhine\",\"Birs\"],\"answer\":\"Rhine\"}"
                .formatted(item),
            "{\"id\":\"q2\",\"question\":\"eight words of one very short question"
                + " today\",\"choices\":[\"yes\"],\"answer\":\"yes\"}",
            "{\"id\":\"q3\",\"question\":\"Too short.\",\"choices\":[\"yes\"],\"answer\":\"yes\"}");
    CurateSummary summary =
        curate(rows, "documents", Map.of("decontaminate", List.of(items.toString())));
    assertThat(strings(summary, "documents", "id")).containsExactly("b");
    assertThat(strings(summary, "rejects", "id", "rule", "detail"))
        .containsExactly(
            "a | contaminated | " + items + ": q1", "c | contaminated | " + items + ": q2");
    assertThat(summary.uncheckedItems()).isEqualTo(1);
  }

  /** Not as many as a file may have. */
  @Test
  void aFewColumnsThatAreNotLookedAtAreNamed() throws IOException {
    ObjectNode item = new ObjectMapper().createObjectNode().put("id", "q");
    for (int i = 0; i < 1000; i++) {
      item.put("n" + i, i);
    }
    Path rows = file("train.jsonl", "{\"id\":\"a\",\"text\":\"Something.\"}");
    String items = file("eval.jsonl", item.toString()).toString();
    assertThatThrownBy(() -> curate(rows, "documents", Map.of("decontaminate", List.of(items))))
        .hasMessageEndingWith(" and 981 more");
    String some = file("some.jsonl", item.put("q", "Is it?").toString()).toString();
    List<String> told = new ArrayList<>();
    new CurateJob()
        .run(
            LocalSpark.session(),
            OptionsBinder.of(CurateOptions.class)
                .bind(
                    Map.of(
                        "warehouse", List.of(folder.resolve("wh").toString()),
                        "input", List.of(rows.toString()),
                        "table", List.of("documents"),
                        "decontaminate", List.of(some))),
            update -> told.add(update.line()));
    assertThat(told)
        .anyMatch(
            line ->
                line.contains("all texts are looked at but [id, n0,")
                    && line.endsWith(" and 981 more"));
  }

  @Test
  void redactedRowsStillMeetEvaluationTexts() throws IOException {
    String asked = "please write a letter to jo@x.org and thank her for all of the lovely flowers";
    Path rows =
        file(
            "train.jsonl",
            "{\"id\":\"a\",\"text\":\"Do it: %s now.\"}".formatted(asked),
            "{\"id\":\"b\",\"text\":\"Nothing of that.\"}");
    Path items = file("eval.jsonl", "{\"id\":\"q\",\"question\":\"%s\"}".formatted(asked));
    CurateSummary summary =
        curate(
            rows,
            "documents",
            Map.of("redact", List.of("email"), "decontaminate", List.of(items.toString())));
    assertThat(strings(summary, "documents", "id")).containsExactly("b");
    assertThat(strings(summary, "rejects", "id", "rule")).containsExactly("a | contaminated");
  }

  @Test
  void evaluationTextsAreFoundInListsAndFieldsWithinFields() throws IOException {
    List<String> texts =
        List.of(
            "one of the many old bridges of Prague crosses a quiet river at dawn today",
            "two of the tall white towers of Lisbon look over a harbour full of ships",
            "three of the narrow streets of Genoa climb up from a market to the hills",
            "four of the wooden houses of Bergen stand in a row beside the cold water");
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      rows.add(
          String.format(Locale.ROOT, "{\"id\":\"d%d\",\"text\":\"So: %s.\"}", i, texts.get(i)));
    }
    rows.add("{\"id\":\"e\",\"text\":\"Something else.\"}");
    Path items =
        file(
            "eval.jsonl",
            """
            {"id":"q","turns":[{"role":"user","content":"%s"},{"role":"assistant","content":null}],\
            "doc":{"title":"T","body":{"text":"%s"}},"grid":[["%s"],[]],"targets":[{"refs":["%s"]}]}\
            """
                .formatted(texts.toArray()));
    CurateSummary summary =
        curate(
            file("train.jsonl", rows.toArray(String[]::new)),
            "documents",
            Map.of("decontaminate", List.of(items.toString())));
    assertThat(strings(summary, "documents", "id")).containsExactly("e");
    assertThat(summary.rejects()).isEqualTo(Map.of("contaminated", 4L));
  }

  /** Also a row that c4 took lines out of before an evaluation text was found in it. */
  @Test
  void aRejectIsTheRowAsItCame() throws IOException {
    String item = "which of these seven rivers flows through the old town of Basel in the north";
    String text =
        "no end for jo@x.org\\nThis is a sentence of some words. It goes on. Here is more of it."
            + " A fourth one stands here. So, "
            + item
            + "?";
    CurateSummary summary =
        curate(
            file(
                "train.jsonl",
                "{\"id\":\"a\",\"text\":\"%s\"}".formatted(text),
                "{\"id\":\"b\",\"text\":\"%s\"}".formatted(text.replace("Basel", "Bern"))),
            "documents",
            Map.of(
                "filter",
                List.of("c4"),
                "redact",
                List.of("email"),
                "decontaminate",
                List.of(
                    file("eval.jsonl", "{\"id\":\"q\",\"question\":\"%s\"}".formatted(item))
                        .toString())));
    assertThat(strings(summary, "rejects", "id", "get_json_object(row, '$.text')"))
        .containsExactly("a | " + text.replace("\\n", "\n").replace("jo@x.org", "[EMAIL]"));
    assertThat(strings(summary, "documents", "text"))
        .singleElement()
        .asString()
        .startsWith("This is a sentence");
    assertThat(rows(summary, "documents").columns())
        .containsExactly(Tables.DOCUMENTS.schema().fieldNames());
    assertThat(summary.figures()).containsEntry("redacted_email", 0L);
  }

  @Test
  void whatDoesNotFitTheTableIsRefusedBeforeARunBegins() throws IOException {
    Path rows = quoted(instructions());
    assertThatThrownBy(
            () ->
                curate(
                    rows,
                    "instructions",
                    Map.of(
                        "filter",
                        List.of("c4", "score:min=3"),
                        "as",
                        List.of("conversations"),
                        "take-split",
                        List.of("train"))))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("'c4': expected the table documents, found instructions")
        .hasMessageContaining("'score:min=3': expected the table documents or preferences")
        .hasMessageContaining("Option --as: expected the table preferences, found instructions")
        .hasMessageContaining("Option --take-split: the table instructions has no column split");
    assertThatThrownBy(
            () -> curate(rows, "instructions", Map.of("filter", List.of("blocked:file=no.txt"))))
        .hasMessageContaining("Option --filter: no file at 'no.txt'");
    Path empty = file("empty.txt", "# nothing");
    assertThatThrownBy(
            () -> curate(rows, "instructions", Map.of("filter", List.of("blocked:file=" + empty))))
        .hasMessageContaining("expected at least one phrase in file, found none");
    assertThatThrownBy(
            () -> curate(rows, "instructions", Map.of("filter", List.of("length:min-words=99"))))
        .hasMessageContaining("No row of 7 is left: dropped {too_short=7}");
    assertThat(LocalSpark.session().sparkContext().getPersistentRDDs().isEmpty())
        .as("what was held is let go")
        .isTrue();
    assertThat(folder.resolve("wh/instructions")).doesNotExist();
  }

  @Test
  void phrasesOfAFileDecideWhatARunIsOf() throws IOException {
    Path rows = quoted(instructions());
    Path phrases = file("phrases.txt", "a pear", "# nothing");
    Map<String, List<String>> options =
        Map.of("filter", List.of("blocked:file=" + phrases), "run-id", List.of("p1"));
    assertThat(curate(rows, "instructions", options).rejects()).isEqualTo(Map.of("blocked", 1L));
    assertThat(curate(rows, "instructions", options).rejects()).isEqualTo(Map.of("blocked", 1L));
    file("phrases.txt", "an apple");
    assertThatThrownBy(() -> curate(rows, "instructions", options))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("filter file");
  }
}
