package dev.distillery.jobs.curate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Splits, weights, caps, and comparisons that become dialogues. */
class CurateMixTest {
  @TempDir Path folder;

  private CurateSummary curate(String table, List<String> inputs, Map<String, List<String>> more) {
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", inputs);
    given.put("table", List.of(table));
    given.putAll(more);
    return new CurateJob()
        .run(LocalSpark.session(), OptionsBinder.of(CurateOptions.class).bind(given));
  }

  private static Dataset<Row> rows(CurateSummary summary, String table) {
    return LocalSpark.session().read().parquet(summary.tables().get(table).path());
  }

  private static List<String> strings(CurateSummary summary, String table, String... columns) {
    return rows(summary, table).selectExpr(columns).collectAsList().stream()
        .map(row -> row.mkString(" "))
        .sorted()
        .toList();
  }

  /** Rows of two sources in so many Parquet files. */
  private String instructions(String name, int rows, int partitions) {
    Path path = folder.resolve(name + "-" + partitions);
    SparkSession spark = LocalSpark.session();
    spark
        .range(rows)
        .selectExpr(
            "concat('%s', id) as id".formatted(name),
            "concat('%s', id div 3) as task_id".formatted(name),
            "concat('Say ', id) as instruction",
            "'' as input",
            "concat('It is said: ', id) as output",
            "concat('%s', id %% 2) as source".formatted(name),
            "'MIT' as license")
        .repartition(partitions)
        .write()
        .parquet(path.toString());
    return path.toString();
  }

  @Test
  void theSameMixOnAnyNumberOfPartitions() {
    Set<List<String>> mixes = new HashSet<>();
    for (int partitions : List.of(1, 7, 64)) {
      CurateSummary summary =
          curate(
              "instructions",
              List.of(
                  instructions("x", 300, partitions) + "=0.4",
                  instructions("y", 101, partitions) + "=1.5"),
              Map.of(
                  "split",
                  List.of("train=0.8", "test=0.2"),
                  "cap",
                  List.of("70"),
                  "filter",
                  List.of("blocked:phrases=said 7"),
                  "output-table",
                  List.of("mix" + partitions)));
      mixes.add(strings(summary, "mix" + partitions, "id", "output", "split"));
      assertThat(summary.in()).isEqualTo(401);
      assertThat(summary.rejects()).isEqualTo(Map.of("blocked", 2L));
    }
    assertThat(mixes).hasSize(1);
    List<String> mix = mixes.iterator().next();
    // Of x 120 of 299, of which each source has under 70; of y 150 of 100, cut to 70 a source.
    assertThat(mix.stream().filter(row -> row.startsWith("x")).count()).isEqualTo(120);
    assertThat(mix.stream().filter(row -> row.startsWith("y")).count()).isBetween(137L, 140L);
    assertThat(mix).anyMatch(row -> row.matches("y\\d+#copy2 .*"));
  }

  @Test
  void weightsTakeExactlyTheirShareAndCopiesHaveIdsOfTheirOwn() {
    String input = instructions("x", 100, 3);
    CurateSummary half = curate("instructions", List.of(input + "=0.255"), Map.of());
    assertThat(half.rows()).isEqualTo(26);
    assertThat(half.kept()).isEqualTo(26);
    assertThat(half.leftOver()).isEqualTo(74);
    CurateSummary more = curate("instructions", List.of(input + "=2.1"), Map.of());
    assertThat(more.rows()).isEqualTo(210);
    assertThat(more.kept()).isEqualTo(100);
    assertThat(rows(more, "instructions").select("id").distinct().count()).isEqualTo(210);
    assertThat(rows(more, "instructions").where("id like '%#copy3'").count()).isEqualTo(10);
    assertThat(rows(more, "instructions").columns())
        .containsExactly(Tables.INSTRUCTIONS.schema().fieldNames());
  }

  /** A column of ids in the place of splits or sources is said, and not brought to the driver. */
  @Test
  void moreGroupsThanAMixHasAreRefused() {
    Dataset<Row> groups = LocalSpark.session().range(20_000).toDF("split");
    assertThat(Mixture.few(groups.limit(10_000), "split")).hasSize(10_000);
    assertThatThrownBy(() -> Mixture.few(groups, "split"))
        .isInstanceOf(JobException.class)
        .hasMessage(
            "The rows have more than 10000 groups by their column split: is it what it should be?");
  }

  @Test
  void copiesOfCopiesHaveIdsOfTheirOwnAndGoWhereTheirRowGoes() {
    Path path = folder.resolve("rows");
    LocalSpark.session()
        .range(40)
        .selectExpr(
            "concat('f.jsonl#', id) as id",
            "'Say it.' as instruction",
            "'' as input",
            "concat('It is said: ', id) as output",
            "'x' as source",
            "'MIT' as license")
        .write()
        .parquet(path.toString());
    var split = Map.of("split", List.of("train=0.5", "test=0.5"));
    curate("instructions", List.of(path + "=2.5"), Map.of("run-id", List.of("m1")));
    CurateSummary again =
        curate(
            "instructions",
            List.of("instructions@m1=2"),
            Map.of("split", split.get("split"), "run-id", List.of("m2")));
    assertThat(again.rows()).isEqualTo(200);
    assertThat(rows(again, "instructions").select("id").distinct().count()).isEqualTo(200);
    CurateSummary first = curate("instructions", List.of(path.toString()), split);
    Map<String, String> splits =
        rows(first, "instructions").select("output", "split").collectAsList().stream()
            .collect(Collectors.toMap(row -> row.getString(0), row -> row.getString(1)));
    assertThat(splits.values()).contains("train", "test");
    assertThat(rows(again, "instructions").select("output", "split").collectAsList())
        .allSatisfy(row -> assertThat(splits).containsEntry(row.getString(0), row.getString(1)));
  }

  @Test
  void rowsWithoutSourceAndLicenseAreOneSourceOfTheirOwn() throws IOException {
    var lines = new StringBuilder();
    for (int i = 0; i < 12; i++) {
      lines.append(
          String.format(
              Locale.ROOT,
              "{\"id\":\"r%d\",\"instruction\":\"Go.\",\"output\":\"%d.\",\"source\":%s,\"license\":null}\n",
              i,
              i,
              i % 3 == 0 ? "\"x\"" : "null"));
    }
    Path rows = Files.writeString(folder.resolve("rows.jsonl"), lines);
    Path export = folder.resolve("out");
    CurateSummary summary =
        curate(
            "instructions",
            List.of(rows.toString()),
            Map.of("cap", List.of("3"), "export", List.of(export.toString())));
    assertThat(strings(summary, "instructions", "source").stream().filter("x"::equals)).hasSize(3);
    assertThat(summary.rows()).isEqualTo(6);
    assertThat(Files.readString(export.resolve("README.md")))
        .contains("|  | NOASSERTION | 3 |", "| x | NOASSERTION | 3 |");
  }

  @Test
  void aSplitThatNoRowHasIsSaid() throws IOException {
    List<String> said = new ArrayList<>();
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", List.of(preferences().toString()));
    given.put("table", List.of("preferences"));
    given.put("split", List.of("train=0.999999999", "test=0.000000001"));
    given.put("take-split", List.of("train", "test"));
    new CurateJob()
        .run(
            LocalSpark.session(),
            OptionsBinder.of(CurateOptions.class).bind(given),
            update -> said.add(update.line()));
    assertThat(said)
        .contains("Option --take-split: no row is of the split 'test'; the rows have [train]");
  }

  /** What is judged once is held: that the inputs are gone by then changes nothing. */
  @Test
  void textsAreJudgedOnce() throws IOException {
    Path rows = preferences();
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(folder.resolve("wh").toString()));
    given.put("input", List.of(rows + "=0.5"));
    given.put("table", List.of("preferences"));
    given.put("filter", List.of("blocked:phrases=bad 1"));
    given.put("redact", List.of("email"));
    given.put("as", List.of("conversations"));
    CurateSummary summary =
        new CurateJob()
            .run(
                LocalSpark.session(),
                OptionsBinder.of(CurateOptions.class).bind(given),
                update -> {
                  if (update.line().startsWith("Dropped 40 rows: blocked")) {
                    rows.toFile().delete();
                  }
                });
    assertThat(rows).doesNotExist();
    assertThat(summary.rows()).isEqualTo(20);
    assertThat(summary.duplicates()).isEqualTo(40);
    assertThat(summary.rejects()).isEqualTo(Map.of("blocked", 40L));
  }

  @Test
  void aCapIsOfEachSource() {
    CurateSummary summary =
        curate("instructions", List.of(instructions("x", 101, 3)), Map.of("cap", List.of("20")));
    assertThat(
            strings(summary, "instructions", "source").stream()
                .collect(Collectors.groupingBy(source -> source, Collectors.counting())))
        .isEqualTo(Map.of("x0", 20L, "x1", 20L));
    assertThat(summary.leftOver()).isEqualTo(61);
  }

  @Test
  void groupsStayTogetherAndSplitsTakenApartAreDisjoint() {
    String input = instructions("x", 900, 5);
    var split = List.of("sft=0.5", "reward=0.3", "evaluation=0.2");
    CurateSummary all = curate("instructions", List.of(input), Map.of("split", split));
    Map<String, Set<String>> splits =
        rows(all, "instructions").select("task_id", "split").collectAsList().stream()
            .collect(
                Collectors.groupingBy(
                    row -> row.getString(0),
                    Collectors.mapping(row -> row.getString(1), Collectors.toSet())));
    assertThat(splits).hasSize(300).allSatisfy((task, names) -> assertThat(names).hasSize(1));
    assertThat(all.splits().values().stream().mapToLong(Long::longValue).sum()).isEqualTo(900);
    assertThat(all.splits().get("sft") / 900.0).isCloseTo(0.5, within(0.1));
    List<String> parts = new ArrayList<>();
    for (String name : List.of("sft", "reward", "evaluation")) {
      CurateSummary part =
          curate(
              "instructions",
              List.of(input),
              Map.of("split", split, "take-split", List.of(name), "output-table", List.of(name)));
      assertThat(part.rows()).isEqualTo(all.splits().get(name));
      assertThat(part.leftOver()).isEqualTo(900 - part.rows());
      parts.addAll(strings(part, name, "id"));
    }
    assertThat(parts).hasSize(900).doesNotHaveDuplicates();
  }

  private Path preferences() throws IOException {
    var lines = new StringBuilder();
    for (int question = 0; question < 40; question++) {
      for (int pair = 0; pair < 3; pair++) {
        lines.append(
            String.format(
                Locale.ROOT,
                """
                {"id":"q%1$dp%2$d","group_id":"q%1$d","prompt":[{"role":"user","content":"How is %1$d?"}],\
                "chosen":"Well, %1$d.","rejected":"Bad %2$d.","source":"stackexchange","license":"CC-BY-SA-4.0"}
                """,
                question,
                pair));
      }
    }
    return Files.writeString(folder.resolve("preferences.jsonl"), lines);
  }

  /** StackLLaMA's parts: each question in one of them, the first as dialogues. */
  @Test
  void comparisonsBecomeDisjointPartsOfDialoguesAndPairs() throws IOException {
    String input = preferences().toString();
    var split = List.of("sft=0.4", "reward=0.3", "rl=0.2", "evaluation=0.1");
    CurateSummary sft =
        curate(
            "preferences",
            List.of(input),
            Map.of("split", split, "take-split", List.of("sft"), "as", List.of("conversations")));
    assertThat(sft.in()).isEqualTo(120);
    assertThat(sft.duplicates()).isEqualTo(80);
    assertThat(sft.kept() + sft.leftOver()).isEqualTo(40);
    Dataset<Row> dialogues = rows(sft, "conversations");
    assertThat(dialogues.columns()).containsExactly(Tables.CONVERSATIONS.schema().fieldNames());
    Row first = dialogues.sort("id").first();
    List<Row> messages = first.getList(1);
    String number = first.getString(0).replaceAll("q(\\d+)p0", "$1");
    assertThat(messages.get(0).getString(1)).isEqualTo("How is " + number + "?");
    assertThat(messages.get(1).getString(0)).isEqualTo("assistant");
    assertThat(messages.get(1).getString(1)).isEqualTo("Well, " + number + ".");
    assertThat(strings(sft, "conversations", "split")).containsOnly("sft");
    assertThat(strings(sft, "duplicates", "id", "kept_id", "rule"))
        .hasSize(80)
        .contains("q7p1 q7p0 same_answer", "q7p2 q7p0 same_answer");

    Set<String> questions = new TreeSet<>();
    strings(sft, "conversations", "id").forEach(id -> questions.add(id.replaceAll("p.*", "")));
    long asDialogues = questions.size();
    for (String name : List.of("reward", "rl", "evaluation")) {
      CurateSummary part =
          curate(
              "preferences",
              List.of(input),
              Map.of("split", split, "take-split", List.of(name), "output-table", List.of(name)));
      Set<String> own = new TreeSet<>(strings(part, name, "group_id"));
      assertThat(own).isNotEmpty().doesNotContainAnyElementsOf(questions);
      assertThat(part.rows()).isEqualTo(3L * own.size());
      questions.addAll(own);
    }
    assertThat(asDialogues).isEqualTo(sft.rows());
    assertThat(questions).hasSize(40);
  }

  /** The rows of a file in so many files, in another order. */
  private static String parted(String file, int files) {
    String path = file + "-" + files;
    LocalSpark.session().read().json(file).repartition(files).write().json(path);
    return path;
  }

  /** Comparisons of one id and one answer that differ in little, and some that both inputs hold. */
  @Test
  void theSameDialoguesOnAnyNumberOfPartitions() throws IOException {
    var one = new StringBuilder();
    var two = new StringBuilder();
    for (int i = 0; i < 60; i++) {
      String pair =
          String.format(
              Locale.ROOT,
              """
              {"id":"q%1$d","group_id":"g%2$d","prompt":[{"role":"user","content":"How is %3$d?"}],\
              "chosen":"Well.","rejected":"Bad.","margin":%4$d,"source":"s%5$d","license":"MIT"}
              """,
              i % 7,
              i,
              i % 5,
              i,
              i % 2);
      (i % 3 == 0 ? one : two).append(pair);
      two.append(i % 4 == 0 ? pair : "");
    }
    String first = Files.writeString(folder.resolve("one.jsonl"), one).toString();
    String second = Files.writeString(folder.resolve("two.jsonl"), two).toString();
    SparkSession spark = LocalSpark.session();
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    Set<List<String>> mixes = new HashSet<>();
    try {
      for (int partitions : List.of(1, 3, 16)) {
        spark.conf().set("spark.sql.shuffle.partitions", String.valueOf(partitions));
        CurateSummary summary =
            curate(
                "preferences",
                List.of(parted(first, partitions) + "=2", parted(second, partitions) + "=1.5"),
                Map.of(
                    "as",
                    List.of("conversations"),
                    "split",
                    List.of("train=0.5", "test=0.5"),
                    "output-table",
                    List.of("mix" + partitions)));
        List<String> rows =
            new ArrayList<>(strings(summary, "mix" + partitions, "to_json(struct(*))"));
        rows.addAll(strings(summary, "duplicates", "id", "kept_id"));
        mixes.add(rows);
        assertThat(summary.kept()).isEqualTo(5);
      }
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
    }
    assertThat(mixes).hasSize(1);
  }
}
