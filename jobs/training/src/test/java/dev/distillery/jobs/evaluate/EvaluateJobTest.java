package dev.distillery.jobs.evaluate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.student.SharedStudent;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Against golden/evaluate, which make_evaluate_goldens.py made with lm-evaluation-harness of the
 * tiny model golden/student of common/model.
 */
class EvaluateJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");
  private static final Path GOLDEN =
      FetchedModel.root().resolve("jobs/training/src/test/resources/golden/evaluate");
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String SCORED_AND_WRITTEN =
      tasks("choices", "choices-shots", "pairs", "likelihood", "texts", "written");

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private EvaluateSummary run(String id, Map<String, String> given) {
    return new EvaluateJob().run(spark, options(id, given));
  }

  private EvaluateOptions options(String id, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value)));
    return OptionsBinder.of(EvaluateOptions.class).bind(values);
  }

  /** Fails when all items are evaluated and none is published. */
  private void failAtFigures(String id, Map<String, String> given) {
    ProgressListener fails =
        update -> {
          if (update.line().contains(": acc ")) {
            throw new IllegalStateException("at its figures");
          }
        };
    assertThatThrownBy(() -> new EvaluateJob().run(spark, options(id, given), fails))
        .hasMessageContaining("at its figures");
  }

  private static String tasks(String... names) {
    return String.join(",", Stream.of(names).map(name -> GOLDEN + "/" + name + ".yaml").toList());
  }

  private List<Row> rows(EvaluateSummary summary) {
    return spark.read().parquet(summary.tables().get("evaluations").path()).collectAsList();
  }

  private static double value(EvaluateSummary summary, String task, String metric) {
    return summary.results().stream()
        .filter(each -> each.task().equals(task) && each.metric().equals(metric))
        .mapToDouble(Result::value)
        .findFirst()
        .orElseThrow();
  }

  private void assertEqualToGolden(EvaluateSummary summary, JsonNode expected) {
    for (Row row : rows(summary)) {
      JsonNode sample =
          expected.path(row.<String>getAs("task")).path("samples").path(row.<String>getAs("id"));
      List<Double> logprobs = row.getList(row.fieldIndex("logprobs"));
      for (int i = 0; i < logprobs.size(); i++) {
        assertThat(logprobs.get(i))
            .as("%s", row)
            .isCloseTo(sample.path("logprobs").path(i).asDouble(), within(1e-4));
      }
      Map<String, Double> metrics = row.getJavaMap(row.fieldIndex("metrics"));
      for (String metric : List.of("acc", "acc_norm", "acc_bytes", "acc_mutual_info")) {
        if (metrics.containsKey(metric) && sample.has(metric)) {
          assertThat(metrics.get(metric)).as("%s", row).isEqualTo(sample.path(metric).asDouble());
        }
      }
      if (sample.has("answer")) {
        assertThat(row.<String>getAs("answer")).isEqualTo(sample.path("answer").asText());
      }
    }
    for (Result result : summary.results()) {
      JsonNode figure = expected.path(result.task()).path("results").path(result.metric());
      assertThat(figure.isNumber()).as("%s", result).isTrue();
      assertThat(result.value())
          .as("%s", result)
          .isCloseTo(figure.asDouble(), within(1e-4 * Math.max(1, Math.abs(figure.asDouble()))));
    }
  }

  @Test
  void itemsAndFiguresAreThoseOfLmEvaluationHarness() throws IOException {
    JsonNode expected = JSON.readTree(GOLDEN.resolve("expected.json").toFile());
    EvaluateSummary plain = run("plain", Map.of("tasks", SCORED_AND_WRITTEN));
    assertThat(plain.status()).isEqualTo("done");
    assertThat(plain.rejects()).isEmpty();
    assertThat(plain.figures()).containsEntry("items", 32L).containsEntry("evaluated", 32L);
    assertEqualToGolden(plain, expected);
    assertGoesOn(plain);
    Path model = Files.createDirectory(temp.resolve("student"));
    for (String file :
        List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(file), model.resolve(file));
    }
    Files.copy(GOLDEN.resolve("chat_template.jinja"), model.resolve("chat_template.jinja"));
    EvaluateSummary chat =
        run(
            "chat",
            Map.of(
                "model",
                model.toString(),
                "tasks",
                tasks("choices-chat"),
                "apply-chat-template",
                "true",
                "fewshot-as-multiturn",
                "true",
                "output",
                temp.resolve("page.html").toString()));
    assertEqualToGolden(chat, expected);
    assertThat(temp.resolve("page.html"))
        .content()
        .contains("<td>choices-chat</td><td>acc</td><td>0.5000 ± 0.1890 (8)</td>");
  }

  private String file(String name, String text) throws IOException {
    return Files.writeString(temp.resolve(name), text).toString();
  }

  private String question(String name, String... lines) throws IOException {
    file("rows.jsonl", String.join("\n", lines) + "\n");
    return file(
        "task.yaml",
        "name: "
            + name
            + """

            input: rows.jsonl
            prompt: "{question}"
            answer: "{answer}"
            metrics: [acc, perplexity]
            """);
  }

  private static String row(int i, String question) {
    return String.format(
        Locale.ROOT, "{\"id\": \"i%d\", \"question\": \"%s\", \"answer\": \"a\"}", i, question);
  }

  /** What lm-evaluation-harness 0.4.13 does where a task has one split (silent fault 25). */
  @Test
  void anItemIsNeverItsOwnShotNorIsItsTwin() throws IOException {
    String task =
        question("twins", row(0, "What 0"), row(1, "What 1"), row(2, "What 0"), row(3, "What 3"));
    for (String seed : List.of("1", "2", "3")) {
      EvaluateSummary summary =
          run("t" + seed, Map.of("tasks", task, "num-fewshot", "2", "random-seed", seed));
      assertThat(rows(summary)).hasSize(4);
      for (Row row : rows(summary)) {
        String prompt = row.getAs("prompt");
        String own = prompt.substring(prompt.lastIndexOf('\n') + 1);
        assertThat(prompt).containsOnlyOnce(own);
        assertThat(prompt.split("\n\n", -1)).hasSize(3);
      }
    }
    assertThatThrownBy(() -> run("few", Map.of("tasks", task, "num-fewshot", "3")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("Task 'twins': 3 shots are asked for, and an item has 2 others");
  }

  /** Silent fault 28. */
  @Test
  void shotsAreLeftOutBeforeTheItemsOwnQuestion() throws IOException {
    String task =
        question(
            "long",
            row(0, "river 0"),
            row(1, "river 1 " + "cat ".repeat(15)),
            row(2, "river 2 " + "cat ".repeat(80)),
            row(3, "river 3"));
    EvaluateSummary summary = run("long", Map.of("tasks", task, "num-fewshot", "2"));
    assertThat(summary.rejects()).containsExactly(Map.entry("longer_than_context", 1L));
    assertThat(summary.figures()).containsEntry("items", 4L).containsEntry("evaluated", 3L);
    List<Row> rows = rows(summary);
    assertThat(summary.shotsCut().getAsLong())
        .isEqualTo(
            rows.stream()
                .filter(
                    row -> row.getJavaMap(row.fieldIndex("metrics")).containsKey("shot_tokens_cut"))
                .count())
        .isPositive();
    for (Row row : rows) {
      assertThat(row.<String>getAs("prompt"))
          .contains("river " + row.<String>getAs("id").substring(1));
    }
  }

  @Test
  void whatIsWrongWithTasksIsSaidBeforeTheFirstItem() throws IOException {
    String wrong =
        file(
            "wrong.yaml",
            """
            name: Wrong name
            input: rows.jsonl
            promt: "{question}"
            prompt: "{question}"
            choices: ["yes"]
            answer: "7"
            metrics: [acc, exact_match]
            """);
    assertThatThrownBy(() -> run("wrong", Map.of("tasks", wrong)))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("wrong.yaml:3: Unknown key 'promt'; did you mean prompt?")
        .hasMessageContaining("wrong.yaml:1: 'name': expected a name that matches")
        .hasMessageContaining("'choices': expected two or more, found 1")
        .hasMessageContaining("'metrics': 'exact_match' is none of");
    String task = question("columns", row(0, "What"));
    String missing =
        file("missing.jsonl", "{\"id\": \"1\", \"query\": \"What\", \"answer\": \"a\"}\n");
    assertThatThrownBy(
            () -> run("missing", Map.of("tasks", task, "task-input", "columns=" + missing)))
        .hasMessageContaining("has no column question, which its texts name; it has");
    String written =
        file(
            "written.yaml",
            """
            name: written
            input: rows.jsonl
            prompt: "{question}"
            answer: "{answer}"
            generate: {max_new_tokens: 64}
            metrics: [f1]
            """);
    assertThatThrownBy(() -> run("room", Map.of("tasks", written)))
        .hasMessageContaining("'generate.max_new_tokens' is 64, which leaves no room");
    assertThatThrownBy(() -> run("name", Map.of("tasks", "arithmetic-2d")))
        .hasMessageContaining("'arithmetic-2d' is no packaged task");
    String target =
        file(
            "target.yaml",
            """
            name: target
            input: rows.jsonl
            prompt: "{question}"
            choices: ["yes", "no"]
            answer: "{answer}"
            metrics: [acc]
            """);
    assertThatThrownBy(() -> run("target", Map.of("tasks", target)))
        .hasMessageContaining("No item could be evaluated: {answer_not_among_choices=1}")
        .hasMessageContaining("the first, i0 of 'target' by student@");
    file("rows.jsonl", row(0, "What") + "\n" + row(1, "Who").replace("\"a\"", "\"no\"") + "\n");
    EvaluateSummary summary = run("target", Map.of("tasks", target));
    assertThat(summary.rejects()).containsExactly(Map.entry("answer_not_among_choices", 1L));
    assertThat(
            spark
                .read()
                .parquet(summary.tables().get("rejects").path())
                .first()
                .<String>getAs("detail"))
        .startsWith("target, student@")
        .contains("The answer 'a' is neither one of [yes, no] nor an index of them");
  }

  /**
   * Else a task would vanish from the figures, or its scores be looked for where there are none.
   */
  @Test
  void aTaskWithoutAnItemIsRefusedByNameWithItsInput() throws IOException {
    String chosen = question("chosen", row(0, "What 0"));
    Path none = temp.resolve("none");
    spark
        .createDataFrame(
            List.of(), spark.read().json(temp.resolve("rows.jsonl").toString()).schema())
        .write()
        .parquet(none.toString());
    for (Path rowless : List.of(none, Files.createFile(temp.resolve("empty.jsonl")))) {
      assertThatThrownBy(
              () -> run("none", Map.of("tasks", chosen, "task-input", "chosen=" + rowless)))
          .isInstanceOf(JobException.class)
          .hasMessage(
              "Task 'chosen': no item is left of its input %s; give rows by --task-input chosen=REF, or"
                      .formatted(rowless)
                  + " leave the task out");
    }
    String written =
        file(
            "written.yaml",
            """
            name: written
            input: rows.jsonl
            prompt: "{question}"
            answer: "{answer}"
            generate: {max_new_tokens: 4}
            metrics: [f1]
            """);
    for (String other : List.of("own-reading", "written")) {
      String tasks = chosen + "," + (other.equals("written") ? written : other);
      assertThatThrownBy(
              () ->
                  run("beside-" + other, Map.of("tasks", tasks, "task-input", other + "=" + none)))
          .isInstanceOf(JobException.class)
          .hasMessageContaining(
              "Task '%s': no item is left of its input %s".formatted(other, none));
    }
    assertThat(temp.resolve("warehouse/_work")).doesNotExist();
  }

  /** The same figures on any number of partitions, and nothing is computed twice. */
  @Test
  void packagedTasksGiveTheSameOnAnyNumberOfPartitionsAndGoOn() throws IOException {
    Map<String, String> given = Map.of("tasks", "scramble-reversed", "limit", "12");
    EvaluateSummary one = run("p1", given);
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    spark.conf().set("spark.sql.shuffle.partitions", "7");
    try {
      EvaluateSummary seven = run("p7", given);
      assertThat(seven.results()).isEqualTo(one.results());
      assertThat(rows(seven)).containsExactlyInAnyOrderElementsOf(rows(one));
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
    }
    assertThat(one.results()).extracting(Result::metric).containsExactly("exact_match");
    assertThat(value(one, "scramble-reversed", "exact_match")).isBetween(0.0, 1.0);
  }

  /** The tasks of the last stage of scoring. */
  private static final class CountedTasks extends SparkListener {
    private final AtomicInteger tasks = new AtomicInteger();

    @Override
    public void onStageSubmitted(SparkListenerStageSubmitted stage) {
      if (stage
          .properties()
          .getProperty("spark.job.description", "")
          .contains(": Score items by ")) {
        tasks.set(stage.stageInfo().numTasks());
      }
    }
  }

  @Test
  void likelihoodsAreTheSameHoweverManyTasksScoreThem() throws Exception {
    String[] lines = new String[520];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = row(i, "river " + i);
    }
    Map<String, String> given = Map.of("tasks", question("cut", lines));
    List<EvaluateSummary> summaries = new ArrayList<>();
    for (int tasks : new int[] {1, 7, 64}) {
      var counted = new CountedTasks();
      spark.sparkContext().addSparkListener(counted);
      try {
        summaries.add(
            new EvaluateJob(OptionalInt.of(tasks)).run(spark, options("cut" + tasks, given)));
        spark.sparkContext().listenerBus().waitUntilEmpty();
      } finally {
        spark.sparkContext().removeSparkListener(counted);
      }
      assertThat(counted.tasks).hasValue(tasks);
    }
    EvaluateSummary one = summaries.get(0);
    assertThat(one.figures()).containsEntry("evaluated", 520L);
    assertThat(value(one, "cut", "perplexity")).isGreaterThan(1);
    for (EvaluateSummary more : summaries.subList(1, 3)) {
      assertThat(more.results()).isEqualTo(one.results());
      assertThat(rows(more)).containsExactlyInAnyOrderElementsOf(rows(one));
    }
  }

  /**
   * As a kill leaves it: results are there, and are neither made again nor lost; those of another
   * try's options, of an item or of a shot more, are not taken.
   */
  private void assertGoesOn(EvaluateSummary whole) throws IOException {
    Map<String, String> given = Map.of("tasks", SCORED_AND_WRITTEN);
    failAtFigures("half", given);
    Path work = temp.resolve("warehouse/_work/half");
    List<Path> files;
    try (Stream<Path> all = Files.walk(work)) {
      files = all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
    assertThat(files).hasSizeGreaterThan(1);
    Files.delete(files.get(1));
    List<String> lines = Files.readAllLines(files.get(0));
    // Hadoop's checksum of it.
    Files.delete(files.get(0).resolveSibling("." + files.get(0).getFileName() + ".crc"));
    Files.write(
        files.get(0),
        lines.stream().map(line -> line.replace("\"prompt\":\"", "\"prompt\":\"! ")).toList());
    EvaluateSummary half = run("half", given);
    assertThat(half.resumed().getAsLong()).isBetween((long) lines.size(), 31L);
    assertThat(half.results()).isEqualTo(whole.results());
    assertThat(rows(half)).hasSize(32);
    assertThat(rows(half).stream().filter(row -> row.<String>getAs("prompt").startsWith("! ")))
        .hasSize(lines.size());
    assertThat(work).doesNotExist();
  }

  /** The record of a run may be lost, or its try refused: what it left may be of other options. */
  @Test
  void whatATryOfOtherOptionsLeftIsNotTaken() throws IOException {
    String task = question("left", row(0, "What 0"), row(1, "What 1"), row(2, "What 2"));
    failAtFigures("left", Map.of("tasks", task));
    assertThat(temp.resolve("warehouse/_work/left")).isNotEmptyDirectory();
    Files.delete(temp.resolve("warehouse/_runs/left.json"));
    EvaluateSummary shown = run("left", Map.of("tasks", task, "num-fewshot", "1"));
    assertThat(shown.resumed().getAsLong()).isZero();
    for (Row row : rows(shown)) {
      assertThat(row.<String>getAs("prompt")).contains("\n\n");
    }
  }

  /** As the weights of a run that has diverged: its figures would be NaN, or a lucky guess. */
  @Test
  void likelihoodsThatAreNoNumbersAreRejected() throws IOException {
    Path model = Files.createDirectory(temp.resolve("diverged"));
    for (String file : List.of("config.json", "tokenizer.json", "tokenizer_config.json")) {
      Files.copy(MODEL.resolve(file), model.resolve(file));
    }
    byte[] weights = Files.readAllBytes(MODEL.resolve("model.safetensors"));
    ByteBuffer last = ByteBuffer.wrap(weights).order(ByteOrder.LITTLE_ENDIAN);
    last.putFloat(weights.length - Float.BYTES, Float.NaN);
    Files.write(model.resolve("model.safetensors"), weights);
    String task = question("diverged", row(0, "What 0"), row(1, "What 1"));
    assertThatThrownBy(() -> run("diverged", Map.of("model", model.toString(), "tasks", task)))
        .hasMessageContaining("No item could be evaluated: {logprob_not_finite=2}")
        .hasMessageContaining("The log-probabilities are [NaN]");
  }

  @Test
  void thePageReplacesAnEarlierTrysAndNothingElse() throws IOException {
    String task = question("paged", row(0, "What 0"), row(1, "What 1"));
    Path page = temp.resolve("out.html");
    Map<String, String> given = Map.of("tasks", task, "output", page.toString());
    Files.writeString(page, "mine");
    assertThatThrownBy(() -> run("paged", given)).hasMessageContaining("is no page of ours");
    assertThat(page).hasContent("mine");
    assertThatThrownBy(
            () -> run("below", Map.of("tasks", task, "output", page.resolve("p.html").toString())))
        .hasMessageContaining("out.html is a file");
    assertThatThrownBy(() -> run("folder", Map.of("tasks", task, "output", temp.toString())))
        .hasMessageContaining("is a folder");
    Files.delete(page);
    run("paged", given);
    String written = Files.readString(page);
    // As a kill between the page and the record leaves it.
    Files.delete(temp.resolve("warehouse/_runs/paged.json"));
    Files.writeString(page, written.replace("</body>", "<p>before</p></body>"));
    run("paged", given);
    assertThat(page).content().isEqualTo(written);
    assertThatThrownBy(() -> run("other", given)).hasMessageContaining("give --overwrite");
  }

  /** A student draws each sample apart, and each repeat has shots of its own. */
  @Test
  void samplesAndRepeatsOfAStudentAreTheSameOnAnyNumberOfPartitions() throws IOException {
    String chosen = question("drawn", row(0, "What 0"), row(1, "What 1"), row(2, "What 2"));
    String written =
        file(
            "written.yaml",
            """
            name: written
            input: rows.jsonl
            prompt: "{question}"
            answer: "{answer}"
            generate: {max_new_tokens: 4}
            metrics: [exact_match, bleu]
            """);
    Map<String, String> given =
        Map.of("tasks", chosen + "," + written, "num-fewshot", "1", "samples", "3", "repeats", "2");
    EvaluateSummary one = run("s1", given);
    String before = spark.conf().get("spark.sql.shuffle.partitions");
    spark.conf().set("spark.sql.shuffle.partitions", "7");
    try {
      EvaluateSummary seven = run("s7", given);
      assertThat(seven.results()).isEqualTo(one.results());
      assertThat(rows(seven)).containsExactlyInAnyOrderElementsOf(rows(one));
    } finally {
      spark.conf().set("spark.sql.shuffle.partitions", before);
    }
    assertThat(one.figures()).containsEntry("items", 12L).containsEntry("evaluated", 12L);
    assertThat(rows(one)).hasSize(12);
    Set<String> shown = new HashSet<>();
    Set<String> answers = new HashSet<>();
    for (Row row : rows(one)) {
      shown.add(row.<String>getAs("prompt"));
      if (row.<String>getAs("task").equals("written")) {
        List<String> each = row.getList(row.fieldIndex("answers"));
        assertThat(each).hasSize(3);
        answers.addAll(each);
      }
    }
    // Both tasks show an item's one shot, and a repeat may show the other one.
    assertThat(shown).hasSizeGreaterThan(3);
    assertThat(answers).hasSizeGreaterThan(9);
    assertThat(one.results()).allMatch(result -> result.repeatStdev() != null);
  }

  @Test
  void aModelIsOpenedOnceForAllItsRepeats() throws Exception {
    String task = question("again", row(0, "What 0"), row(1, "What 1"), row(2, "What 2"));
    Map<String, String> given = Map.of("tasks", task, "num-fewshot", "1", "repeats", "2");
    String hash = ModelHash.of(MODEL).substring(0, 12);
    Set<Student> opened = Collections.newSetFromMap(new IdentityHashMap<>());
    ProgressListener looks =
        update -> {
          if (update.line().contains("score student@")) {
            opened.add(SharedStudent.of(MODEL.toString(), hash, 0));
          }
        };
    EvaluateSummary summary = new EvaluateJob().run(spark, options("again", given), looks);
    assertThat(summary.figures()).containsEntry("evaluated", 6L);
    assertThat(opened).hasSize(1);
  }

  @Test
  void whatHasNoEffectIsRefused() throws IOException {
    String task = question("idle", row(0, "What 0"), row(1, "What 1"));
    assertThatThrownBy(() -> run("date", Map.of("tasks", task, "template-date", "2026-01-01")))
        .hasMessageContaining("give --apply-chat-template too");
    assertThatThrownBy(() -> run("pool", Map.of("tasks", task, "task-examples", "idle=rows.jsonl")))
        .hasMessageContaining("the task 'idle' shows no shots");
    assertThatThrownBy(() -> run("greedy", Map.of("tasks", task, "repeats", "2")))
        .hasMessageContaining("nothing would differ in task 'idle': give --num-fewshot, or leave");
    assertThatThrownBy(() -> run("choices", Map.of("tasks", task, "samples", "2")))
        .hasMessageContaining("Options --samples and --temperature have no effect: no task of");
    var twice = new HashMap<String, List<String>>();
    twice.put("model", List.of(MODEL.toString(), MODEL + "/."));
    twice.put("tasks", List.of(task));
    twice.put("task-input", List.of("idle=a.jsonl", "idle=b.jsonl"));
    twice.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    assertThatThrownBy(
            () -> new EvaluateJob().run(spark, OptionsBinder.of(EvaluateOptions.class).bind(twice)))
        .hasMessageContaining("student/. is given twice")
        .hasMessageContaining("the task of 'idle=b.jsonl' is given twice");
    Path link = Files.createSymbolicLink(temp.resolve("link"), MODEL);
    twice.put("model", List.of(MODEL.toString(), link.toString()));
    twice.remove("task-input");
    assertThatThrownBy(
            () -> new EvaluateJob().run(spark, OptionsBinder.of(EvaluateOptions.class).bind(twice)))
        .hasMessageContaining("Option --model: %s and %s are the same".formatted(MODEL, link));
  }
}
