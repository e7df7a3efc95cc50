package dev.distillery.jobs.dedup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.WordTokenizer;
import dev.distillery.jobs.dedup.SequentialGate.Duplicate;
import dev.distillery.jobs.dedup.SequentialGate.Text;
import dev.distillery.spark.testing.LocalSpark;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DeduplicatorTest {
  private static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("task_id", DataTypes.StringType)
          .add("instruction", DataTypes.StringType);

  private static final ComparedRows COMPARED = compared("rouge", DedupOptions.Metric.ROUGE_L);
  private static final long ALL_PLAIN = 1_000_000;
  private static final long ALL_SPARK = 0;

  private final SparkSession spark = LocalSpark.session();

  private static ComparedRows compared(String tokenizer, DedupOptions.Metric metric) {
    return new ComparedRows(List.of("instruction"), "task_id", List.of(), metric, tokenizer);
  }

  /** Random rows of few words, so that scores near the threshold are common. */
  private static List<Text> randomRows(SplittableRandom random, String prefix, int rows) {
    int words = random.nextInt(3, 14);
    int longest = random.nextInt(3, 16);
    List<Text> texts = new ArrayList<>();
    while (texts.size() < rows) {
      String id = prefix + String.format(Locale.ROOT, "%05d", texts.size());
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(longest); length > 0; length--) {
        text.append(" w").append(Math.min(random.nextInt(words), random.nextInt(words)));
      }
      int instances = random.nextInt(8) == 0 ? random.nextInt(2, 4) : 1;
      for (int i = 0; i < instances; i++) {
        texts.add(new Text(id + "-" + i, "task" + id, text.toString()));
      }
    }
    return texts;
  }

  private static Deduplicator.Plain plain(long rows) {
    return new Deduplicator.Plain(rows, Deduplicator.Plain.USUAL.characters());
  }

  private Dataset<Row> frame(List<Text> texts, int partitions) {
    List<Row> rows = new ArrayList<>();
    texts.forEach(text -> rows.add(RowFactory.create(text.id(), text.task(), text.text())));
    Collections.shuffle(rows, new Random(partitions));
    return spark.createDataFrame(rows, SCHEMA).repartition(partitions);
  }

  private SequentialGate.Result run(
      Dataset<Row> rows,
      Dataset<Row> pool,
      ComparedRows compared,
      double threshold,
      long plainRows,
      int limit) {
    try (var deduplicator =
        new Deduplicator(spark, rows, pool, compared, threshold, plain(plainRows))) {
      deduplicator.decide(
          (lists, pinned, above) -> new SimilarityJoin(above, pinned, limit).exclusions(lists));
      var kept = new TreeSet<String>();
      for (Row row : deduplicator.kept().collectAsList()) {
        assertThat(kept.add(row.getString(0))).as("kept once: %s", row).isTrue();
      }
      Map<String, Duplicate> duplicates = new TreeMap<>();
      for (Row row : deduplicator.duplicates().collectAsList()) {
        var duplicate = new Duplicate(row.getString(0), row.getString(1), row.getDouble(2));
        assertThat(duplicates.put(duplicate.id(), duplicate)).isNull();
      }
      return new SequentialGate.Result(kept, duplicates);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "1, 1, 0.5",
    "2, 7, 0.5",
    "3, 7, 0.6",
    "4, 1, 0.7",
    "5, 7, 0.7",
    "6, 64, 0.7",
    "7, 7, 0.7",
    "8, 7, 0.8",
    "9, 1, 0.9",
    "10, 7, 0.95",
    "11, 1, 0.0",
    "12, 1, 1.0"
  })
  void everyWayKeepsWhatTheSequentialGateKeeps(long seed, int partitions, double threshold) {
    var random = new SplittableRandom(seed);
    List<Text> rows = randomRows(random, "r", 250);
    List<Text> pool = seed % 3 == 0 ? List.of() : randomRows(random, "p", 25);
    SequentialGate.Result expected = SequentialGate.run(rows, pool, "rouge", threshold);
    Dataset<Row> frame = frame(rows, partitions);
    Dataset<Row> poolFrame = frame(pool, partitions);
    spark.conf().set("spark.sql.shuffle.partitions", String.valueOf(partitions));
    try {
      assertThat(run(frame, poolFrame, COMPARED, threshold, ALL_PLAIN, 1)).isEqualTo(expected);
      assertThat(run(frame, poolFrame, COMPARED, threshold, ALL_SPARK, 16)).isEqualTo(expected);
      // One neighbour is often not enough: lists stay open, and further passes decide them.
      assertThat(run(frame, poolFrame, COMPARED, threshold, ALL_SPARK, 1)).isEqualTo(expected);
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", "4");
    }
  }

  @ParameterizedTest
  @CsvSource({"0", "1000000"})
  void rowsWithoutAGroupStandEachForThemselves(long plainRows) {
    List<Text> rows =
        List.of(
            new Text("a", null, "write a poem about the sea"),
            new Text("b", null, "write a poem about the sea"),
            new Text("c", null, "something else that is not like it"),
            new Text("d", "t", "write a poem about the sea"));
    var result = run(frame(rows, 3), frame(List.of(), 1), COMPARED, 0.7, plainRows, 16);
    assertThat(result.kept()).containsExactly("a", "c");
    assertThat(result.duplicates()).containsOnlyKeys("b", "d");
    assertThat(result.duplicates().values()).allMatch(each -> each.keptId().equals("a"));
  }

  @ParameterizedTest
  @CsvSource({"0", "1000000"})
  void chineseAndKoreanAreComparedByCharacter(long plainRows) {
    List<Text> rows =
        List.of(
            new Text("a", "a", "写一首关于大海的诗歌"),
            new Text("b", "b", "写一首关于大海的诗歌吧"),
            new Text("c", "c", "강아지를 그려 주세요"),
            new Text("d", "d", "강아지를 그려 주세요!"),
            new Text("e", "e", "完全不同"));
    var unicode = compared("unicode", DedupOptions.Metric.ROUGE_L);
    var result = run(frame(rows, 3), frame(List.of(), 1), unicode, 0.7, plainRows, 16);
    assertThat(result).isEqualTo(SequentialGate.run(rows, List.of(), "unicode", 0.7));
    assertThat(result.kept()).containsExactly("a", "c", "e");
    // The ASCII tokenizer sees nothing in them, so nothing equals anything.
    assertThat(run(frame(rows, 3), frame(List.of(), 1), COMPARED, 0.7, plainRows, 16).kept())
        .hasSize(5);
  }

  @ParameterizedTest
  @CsvSource({"0", "1000000"})
  void rowsThatAreReadTwiceAreKeptOnce(long plainRows) {
    List<Text> rows = new ArrayList<>();
    for (int copy = 0; copy < 3; copy++) {
      rows.add(new Text("a", "a", "write a poem about the sea"));
      rows.add(new Text("b", "b", "write a poem about the deep sea"));
      rows.add(new Text("c", "c", "name three colours"));
      rows.add(new Text("none", "none", "???"));
    }
    try (var deduplicator =
        new Deduplicator(
            spark, frame(rows, 5), frame(List.of(), 1), COMPARED, 0.7, plain(plainRows))) {
      deduplicator.decide(
          (lists, pinned, threshold) -> new SimilarityJoin(threshold, pinned).exclusions(lists));
      assertThat(deduplicator.kept().collectAsList())
          .extracting(row -> row.getString(0))
          .containsExactlyInAnyOrder("a", "c", "none", "none", "none");
      assertThat(deduplicator.duplicates().collectAsList())
          .extracting(row -> row.getString(0) + row.getString(1))
          .containsExactlyInAnyOrder("aa", "aa", "ba", "ba", "ba", "cc", "cc");
    }
  }

  @Test
  void equalNormalisedTextIsTheExactMetric() {
    List<Text> rows =
        List.of(
            new Text("a", "a", "Write  a poem."),
            new Text("b", "b", "write a POEM."),
            new Text("c", "c", "write a poem"),
            new Text("d", "d", " "),
            new Text("e", "e", "\u3000"));
    var exact = compared("rouge", DedupOptions.Metric.EXACT);
    for (long plainRows : new long[] {ALL_PLAIN, ALL_SPARK}) {
      var result = run(frame(rows, 2), frame(List.of(), 1), exact, 0.7, plainRows, 16);
      assertThat(result.kept()).containsExactly("a", "c", "d", "e");
      assertThat(result.duplicates()).containsEntry("b", new Duplicate("b", "a", 1.0));
    }
  }

  @Test
  void idsThatRepeatWithOtherTextAreRefused() {
    List<Text> rows = List.of(new Text("a", "a", "one"), new Text("a", "a", "two"));
    for (long plainRows : new long[] {ALL_PLAIN, ALL_SPARK}) {
      assertThatThrownBy(
              () -> run(frame(rows, 2), frame(List.of(), 1), COMPARED, 0.7, plainRows, 16))
          .isInstanceOf(JobException.class)
          .hasMessage(
              "The input has a contradiction: rows of the same id have different texts; an id names"
                  + " one row: give each its own. Found with: 'a'");
    }
  }

  @Test
  void tasksOfSeveralTextsAreRefused() {
    List<Text> rows = List.of(new Text("a", "t", "one"), new Text("b", "t", "two"));
    for (long plainRows : new long[] {ALL_PLAIN, ALL_SPARK}) {
      assertThatThrownBy(
              () -> run(frame(rows, 2), frame(List.of(), 1), COMPARED, 0.7, plainRows, 16))
          .isInstanceOf(JobException.class)
          .hasMessageContaining("use --group-by id to decide on each row. Found with: 't'");
    }
  }

  @Test
  void unusableColumnsAreAllListed() {
    var compared =
        new ComparedRows(
            List.of("instruction", "prompt"),
            "group",
            List.of("date"),
            DedupOptions.Metric.ROUGE_L,
            "rouge");
    assertThatThrownBy(
            () ->
                new Deduplicator(
                    spark, frame(List.of(), 1), frame(List.of(), 1), compared, 0.7, plain(0)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("3 problems")
        .hasMessageContaining("--columns: the input has no column 'prompt'")
        .hasMessageContaining("--order-by: the input has no column 'date'")
        .hasMessageContaining("--group-by: the input has no column 'group'");
  }

  @Test
  void skewedRowsNeedNeitherTimeNorMemory() {
    String longText = String.join(" ", IntStream.range(0, 50_000).mapToObj(i -> "x" + i).toList());
    List<Text> rows = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      rows.add(new Text("same" + i, "same" + i, "write a poem about the sea"));
      rows.add(new Text("similar" + i, "similar" + i, "tell me all about number n" + i));
      rows.add(new Text("shared" + i, "shared" + i, "the q" + i));
      rows.add(new Text("none" + i, "none" + i, "!!!"));
    }
    rows.add(new Text("long1", "long1", longText));
    rows.add(new Text("long2", "long2", longText + " and more"));
    var result = run(frame(rows, 4), frame(List.of(), 1), COMPARED, 0.7, ALL_SPARK, 16);
    assertThat(result.kept()).hasSize(1 + 1 + 20_000 + 20_000 + 1);
    assertThat(result.duplicates().get("long2").keptId()).isEqualTo("long1");
    assertThat(result.duplicates().get("similar9").keptId()).isEqualTo("similar0");
    assertThat(result)
        .isEqualTo(run(frame(rows, 7), frame(List.of(), 1), COMPARED, 0.7, ALL_PLAIN, 1));
  }

  /** Of an executor, for instance: what it held is computed again. */
  @Test
  void decisionsOutliveWhatTheyWereHeldIn() {
    List<Text> rows = randomRows(new SplittableRandom(5), "r", 200);
    // What is broadcast is held by the driver, and never asked for again.
    spark.conf().set("spark.sql.autoBroadcastJoinThreshold", "-1");
    try (var deduplicator =
        new Deduplicator(
            spark, frame(rows, 3), frame(List.of(), 1), COMPARED, 0.7, plain(ALL_SPARK))) {
      deduplicator.decide(
          (lists, pinned, above) -> new SimilarityJoin(above, pinned, 1).exclusions(lists));
      List<Row> kept = deduplicator.kept().sort("id").collectAsList();
      LocalSpark.loseWhatIsHeld();
      assertThat(deduplicator.kept().sort("id").collectAsList()).isEqualTo(kept);
      assertThat(kept.size()).isLessThan(rows.size());
    } finally {
      spark.conf().unset("spark.sql.autoBroadcastJoinThreshold");
    }
  }

  @Test
  void rowsThatAreLongerThanTheirFilesTellAreLeftToSpark() {
    List<Text> rows = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      rows.add(
          new Text(String.format(Locale.ROOT, "r%03d", i), "t", "word ".repeat(2_000) + i / 2));
    }
    var small = new Deduplicator.Plain(ALL_PLAIN, 50_000);
    try (var deduplicator =
        new Deduplicator(spark, frame(rows, 3), frame(List.of(), 1), COMPARED, 0.7, small)) {
      assertThat(deduplicator.isPlain()).isFalse();
      assertThat(deduplicator.rows(false)).isEqualTo(300);
    }
    Dataset<Row> ordered =
        spark
            .range(0, 300, 1, 1)
            .selectExpr("false", "string(id)", "'t'", "repeat('x', 10000) as tokens", "0L");
    assertThat(Deduplicator.upTo(50_000, ordered).count()).isEqualTo(6);
  }

  @ParameterizedTest
  @CsvSource({"21, 1, 0.5, 3", "22, 7, 0.3, 1", "23, 7, 0.7, 50", "24, 2, 0.0, 5"})
  void neighborsAreTheMostSimilarTexts(long seed, int partitions, double above, int most) {
    var random = new SplittableRandom(seed);
    List<Text> rows = randomRows(random, "r", 120);
    List<Text> pool = randomRows(random, "p", 15);
    List<String> found;
    try (var deduplicator =
        new Deduplicator(
            spark,
            frame(rows, partitions),
            frame(pool, partitions),
            COMPARED,
            0.7,
            plain(ALL_PLAIN))) {
      found =
          deduplicator.neighbors(most, above).collectAsList().stream().map(Row::toString).toList();
    }
    assertThat(found).containsExactlyInAnyOrderElementsOf(nearest(rows, pool, above, most));
    assertThat(found).isNotEmpty();
  }

  /** By the definition: every text against every other. */
  private static List<String> nearest(List<Text> rows, List<Text> pool, double above, int most) {
    // The pool comes first in the order of all rows, so it stands for texts that both hold.
    Map<List<String>, Text> first = new LinkedHashMap<>();
    Stream.concat(pool.stream(), rows.stream())
        .forEach(
            text -> first.putIfAbsent(WordTokenizer.named("rouge").tokenize(text.text()), text));
    first.remove(List.of());
    List<String> expected = new ArrayList<>();
    first.forEach(
        (tokens, text) -> {
          Map<Double, List<String>> byScore = new TreeMap<>(Comparator.reverseOrder());
          first.forEach(
              (others, other) -> {
                double score = RougeL.score(tokens, others);
                if (!other.equals(text) && score > above) {
                  byScore.computeIfAbsent(score, key -> new ArrayList<>()).add(other.id());
                }
              });
          int[] rank = {0};
          if (rows.contains(text)) {
            byScore.forEach(
                (score, ids) ->
                    ids.stream()
                        .filter(id -> rank[0] < most)
                        .forEach(
                            id ->
                                expected.add(
                                    String.format(
                                        Locale.ROOT,
                                        "[%s,%s,%d,%s]",
                                        text.id(),
                                        id,
                                        ++rank[0],
                                        score))));
          }
        });
    return expected;
  }
}
