package dev.distillery.spark.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TableReaderTest {
  private final SparkSession spark = LocalSpark.session();
  private final List<String> notes = new ArrayList<>();

  @TempDir Path folder;

  private TableReader reader() {
    var warehouse = Warehouse.at(folder.resolve("wh").toString(), new Configuration());
    return new TableReader(spark, warehouse, notes::add);
  }

  private Dataset<Row> read(String path, Table table) {
    return reader().read(new TableRef.Files(path), table);
  }

  private String write(String name, String... lines) throws IOException {
    return Files.write(folder.resolve(name), List.of(lines)).toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      value = {
        "{\"text\": \"a|line 2: Unexpected end-of-input",
        "{\"text\": \"a\", \"text\": \"b\"}|line 2: Duplicate field 'text'",
        "{\"text\": \"a\\ud800b\"}|line 2: a text holds half of a surrogate pair",
        "{\"text\": \"a\\udc00\"}|line 2: a text holds half of a surrogate pair",
        "{\"text\": \"a\\u0000\"}|line 2: a text holds NUL",
        "{\"text\": \"a\"} x|line 2: ",
        "5|line 2: expected a JSON object, found another value"
      })
  void aLineThatIsNoRowIsNamed(String line, String said) throws IOException {
    String file = write("rows.jsonl", "{\"text\": \"good \\ud83d\\ude00 \\\\ud800\"}", line);
    assertThatThrownBy(() -> read(file, Tables.DOCUMENTS))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("rows.jsonl, " + said);
  }

  @Test
  void aFileThatIsOneArrayIsRefusedWithWhatToDo() throws IOException {
    String file = write("rows.json", "[", "  {\"text\": \"hello\"}", "]");
    assertThatThrownBy(() -> read(file, Tables.DOCUMENTS))
        .hasMessageContaining("rows.json, line 1: ")
        .hasMessageContaining("one JSON array, write its rows a line each, as by jq -c '.[]'");
  }

  @Test
  void aCsvIsRefusedWithWhatToDo() throws IOException {
    String file = write("rows.csv", "id,text", "1,hello");
    assertThatThrownBy(() -> read(file, Tables.DOCUMENTS))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("rows.csv is a CSV, and inputs are Parquet or JSONL: convert it");
  }

  @Test
  void aLineThatIsNoUtf8IsNamed() throws IOException {
    Path file = folder.resolve("latin.jsonl");
    Files.write(file, "{\"text\": \"caf\u00e9\"}".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> read(file.toString(), Tables.DOCUMENTS))
        .hasMessageContaining("latin.jsonl, line 1: Invalid UTF-8");
  }

  @Test
  void wholePairsAndEscapedBackslashesAreText() throws IOException {
    String file = write("rows.jsonl", "{\"text\": \"\\ud83d\\ude00 \\\\ud800\"}");
    assertThat(read(file, Tables.DOCUMENTS).select("text").head().getString(0))
        .isEqualTo("\ud83d\ude00 \\ud800");
  }

  @Test
  void messagesOfEveryFormInOneFile() throws IOException {
    String file =
        write(
            "rows.jsonl",
            "{\"id\": \"1\", \"messages\": [{\"role\": \"user\", \"content\": \"a\", \"odd\": 1}]}",
            "{\"id\": \"2\", \"messages\": [{\"from\": \"gpt\", \"value\": 5}]}",
            "{\"id\": \"3\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\","
                + " \"text\": \"b\"}], \"weight\": 0, \"name\": \"ann\"}]}");
    assertThat(
            read(file, Tables.CONVERSATIONS)
                .sort("id")
                .selectExpr("messages[0].role", "messages[0].content", "messages[0].weight")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[user,a,null]", "[assistant,5,null]", "[user,b,0.0]");
    assertThat(notes)
        .anyMatch(note -> note.contains("members of messages that are not read: {odd=1}"));
  }

  @Test
  void messagesAreReadOnceForAllThatIsFoundInThem() throws IOException {
    String file =
        write(
            "rows.jsonl", "{\"id\": \"1\", \"messages\": [{\"from\": \"gpt\", \"value\": \"a\"}]}");
    String plan = read(file, Tables.CONVERSATIONS).queryExecution().optimizedPlan().toString();
    assertThat(plan.split("UDF\\(messages", -1)).as(plan).hasSize(2);
    String refused =
        write(
            "refused.jsonl",
            "{\"id\": \"1\", \"messages\": [{\"from\": \"gpt\", \"value\": \"a\"}]}",
            "{\"id\": \"2\", \"messages\": [{\"role\": \"x\", \"content\": \"a\"}]}");
    plan =
        reader()
            .puttingAside(rows -> {})
            .read(new TableRef.Files(refused), Tables.CONVERSATIONS)
            .queryExecution()
            .optimizedPlan()
            .toString();
    assertThat(plan.split("UDF\\(messages", -1)).as("To leave rows out: " + plan).hasSize(3);
  }

  @Test
  void rowsWhoseMessagesCannotBeReadArePutAsideByRuleOrRefused() throws IOException {
    String file =
        write(
            "rows.jsonl",
            "{\"id\": \"1\", \"messages\": [{\"role\": \"user\", \"content\": null}]}",
            "{\"id\": \"2\", \"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}",
            "{\"id\": \"3\", \"messages\": [{\"role\": \"user\", \"content\": [{\"type\":"
                + " \"image_url\"}]}]}");
    assertThatThrownBy(() -> read(file, Tables.CONVERSATIONS))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("rows.jsonl: Message 1 has a part that is no text: image_url");

    var aside = new ArrayList<UnreadableRows>();
    assertThat(
            reader()
                .puttingAside(aside::add)
                .read(new TableRef.Files(file), Tables.CONVERSATIONS)
                .select("id")
                .collectAsList())
        .extracting(Row::toString)
        .containsExactly("[2]");
    assertThat(aside)
        .singleElement()
        .satisfies(
            rows -> {
              assertThat(rows.byRule())
                  .containsOnly(
                      Map.entry("null_content", 1L), Map.entry("unsupported_content", 1L));
              assertThat(rows.rows().sort("id").select("id", "rule").collectAsList())
                  .extracting(Row::toString)
                  .containsExactly("[1,null_content]", "[3,unsupported_content]");
              assertThat(rows.rows().where("id = 3").head().<String>getAs("row"))
                  .contains("image_url");
            });
    assertThat(notes).anyMatch(note -> note.contains("go to rejects: {null_content=1"));

    String none = write("none.jsonl", "{\"messages\": [{\"role\": \"x\", \"content\": \"a\"}]}");
    assertThatThrownBy(
            () ->
                reader()
                    .puttingAside(aside::add)
                    .read(new TableRef.Files(none), Tables.CONVERSATIONS))
        .hasMessageContaining("can be read: {unknown_role=1}, as in: Message 1: no role");
  }

  /** In the columns of a table, in a text and in texts: the same messages. */
  @Test
  void messagesOfParquetHaveTheTablesRolesAndNamesWhatIsNotRead() {
    String row = "{\"role\": \"developer\", \"content\": \"a\", \"odd\": 1}";
    String path = folder.resolve("messages").toString();
    spark
        .sql("SELECT 'a' AS id, array(named_struct('role', 'Human', 'content', 'x')) AS messages")
        .write()
        .parquet(path + "/structs");
    spark.sql("SELECT 'b' AS id, '[" + row + "]' AS messages").write().parquet(path + "/text");
    spark
        .sql("SELECT 'c' AS id, array('" + row + "') AS messages")
        .write()
        .parquet(path + "/texts");
    assertThat(roles(path + "/structs")).isEqualTo("[user,x]");
    assertThat(notes).noneMatch(note -> note.contains("members"));
    assertThat(roles(path + "/text")).isEqualTo("[system,a]");
    assertThat(notes).anyMatch(note -> note.contains("not read: {odd=1}"));
    assertThat(roles(path + "/texts")).isEqualTo("[system,a]");

    String unknown = path + "/unknown";
    spark
        .sql(
            "SELECT 'a' AS id, array(named_struct('role', 'narrator', 'content', 'x')) AS messages")
        .write()
        .parquet(unknown);
    assertThatThrownBy(() -> read(unknown, Tables.CONVERSATIONS))
        .hasMessageContaining("Message 1: no role of a dialogue: 'narrator'");
  }

  private String roles(String path) {
    return read(path, Tables.CONVERSATIONS)
        .selectExpr("messages[0].role", "messages[0].content")
        .head()
        .toString();
  }

  @Test
  void toolsAreReadAsAListOrAsText() throws IOException {
    String file =
        write(
            "tools.jsonl",
            "{\"id\": \"1\", \"messages\": [], \"tools\": [{\"type\": \"function\"}]}",
            "{\"id\": \"2\", \"messages\": [], \"tools\": \"[1]\"}");
    assertThat(read(file, Tables.CONVERSATIONS).sort("id").select("tools").collectAsList())
        .extracting(row -> row.getString(0).replace(" ", ""))
        .containsExactly("[{\"type\":\"function\"}]", "[1]");
    String parquet = folder.resolve("tools").toString();
    spark
        .sql(
            "SELECT 'a' AS id, CAST(NULL AS STRING) AS messages, array(named_struct('name', 'f'))"
                + " AS tools")
        .write()
        .parquet(parquet);
    assertThat(read(parquet, Tables.CONVERSATIONS).select("tools").head().getString(0))
        .isEqualTo("[{\"name\":\"f\"}]");
  }

  @Test
  void aColumnOfPeopleHasAnyName() throws IOException {
    String file =
        write(
            "names.jsonl",
            "{\"id\": \"1\", \"messages\": [{\"role\": \"user\", \"content\": \"Hi\"}],"
                + " \"_read_messages\": \"yes\", \"_read_by\": \"Ann\"}");
    Dataset<Row> rows = read(file, Tables.CONVERSATIONS);
    assertThat(rows.select("_read_messages", "_read_by").head().toString()).isEqualTo("[yes,Ann]");
    assertThat(rows.columns()).doesNotContain("__read_messages");
  }

  @Test
  void parquetFilesAreReadByTheUnionOfTheirColumns() {
    String path = folder.resolve("parts").toString();
    spark.sql("SELECT 'a' AS id, 'x' AS text").write().parquet(path + "/1");
    spark.sql("SELECT 'b' AS id, 'y' AS text, 'u' AS url, 1 AS n").write().parquet(path + "/2");
    Dataset<Row> rows = read(path + "/*", Tables.DOCUMENTS);
    assertThat(rows.sort("id").select("id", "url", "n").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[a,null,null]", "[b,u,1]");
  }

  @Test
  void aTypeThatDiffersIsWidenedOrRefusedByName() {
    String path = folder.resolve("parts").toString();
    spark.sql("SELECT 'a' AS id, 'x' AS text, 1 AS score").write().parquet(path + "/1");
    spark.sql("SELECT 'b' AS id, 'y' AS text, 0.5D AS score").write().parquet(path + "/2");
    assertThat(read(path + "/*", Tables.DOCUMENTS).sort("id").select("score").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[1.0]", "[0.5]");
    spark.sql("SELECT 'c' AS id, 'z' AS text, 'high' AS score").write().parquet(path + "/3");
    assertThatThrownBy(() -> read(path + "/*", Tables.DOCUMENTS))
        .hasMessageContaining("Column 'score' is ")
        .hasMessageContaining("/3/");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a[1].jsonl", "a{b,c}.jsonl", "a\\b.jsonl", "a*b.jsonl", "a b.jsonl", "a:b.jsonl"})
  void aNameIsANameBeforeItIsAPattern(String name) throws IOException {
    String file = write(name, "{\"id\": \"1\", \"text\": \"t\"}");
    assertThat(read(file, Tables.DOCUMENTS).select("id").head().getString(0)).isEqualTo("1");
  }

  @Test
  void hiddenFilesAreNamedAsNotRead() throws IOException {
    Files.createDirectories(folder.resolve("in"));
    write("in/rows.jsonl", "{\"id\": \"1\", \"text\": \"t\"}");
    write("in/_more.jsonl", "{\"id\": \"2\", \"text\": \"t\"}");
    assertThat(read(folder.resolve("in").toString(), Tables.DOCUMENTS).count()).isEqualTo(1);
    assertThat(notes).anyMatch(note -> note.contains("are not read") && note.contains("_more"));
    assertThatThrownBy(() -> read(folder.resolve("in/_more.jsonl").toString(), Tables.DOCUMENTS))
        .hasMessageContaining("rename them");
  }

  @Test
  void aFolderStandsForAllFilesInItAndBelow() throws IOException {
    Files.createDirectories(folder.resolve("in/2024/01"));
    Files.createDirectories(folder.resolve("in/_tmp"));
    write("in/a.jsonl", "{\"id\": \"1\", \"text\": \"t\"}");
    write("in/2024/b.jsonl", "{\"id\": \"2\", \"text\": \"t\"}");
    write("in/2024/01/10:30.jsonl", "{\"id\": \"3\", \"text\": \"t\"}");
    write("in/_tmp/c.jsonl", "{\"id\": \"4\", \"text\": \"t\"}");
    for (String path : List.of("in", "i*")) {
      assertThat(read(folder.resolve(path).toString(), Tables.DOCUMENTS).sort("id").select("id"))
          .satisfies(
              rows ->
                  assertThat(rows.collectAsList())
                      .extracting(Row::toString)
                      .containsExactly("[1]", "[2]", "[3]"));
    }
    assertThat(read(folder.resolve("in/2024/*/*.jsonl").toString(), Tables.DOCUMENTS).count())
        .isEqualTo(1);
  }

  @Test
  void parquetIsReadBelowFoldersAndWithColonsAndPartitionsStayColumns() throws IOException {
    String path = folder.resolve("parts").toString();
    Dataset<Row> rows = spark.sql("SELECT 'a' AS id, 'x' AS text");
    rows.write().parquet(path + "/at=1");
    rows.write().parquet(path + "/at=2");
    assertThat(read(path, Tables.DOCUMENTS).sort("at").select("at").collectAsList())
        .extracting(Row::toString)
        .containsExactly("[1]", "[2]");
    rows.coalesce(1).write().parquet(path + "/more");
    Path more = folder.resolve("parts/more");
    try (var files = Files.list(more)) {
      Path part =
          files.filter(file -> file.toString().endsWith(".parquet")).findFirst().orElseThrow();
      Files.move(part, more.resolve("10:30.parquet"));
    }
    assertThat(read(path, Tables.DOCUMENTS).count()).isEqualTo(3);
  }
}
