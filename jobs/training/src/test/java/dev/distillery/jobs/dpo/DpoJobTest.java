package dev.distillery.jobs.dpo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.training.reward.TinyReward;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On golden/student of common/model, a tiny model of random weights: ChatML, a context of 64. */
class DpoJobTest {
  private static final Path MODEL =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  /** What a trainer that compares an answer with itself would say. */
  private static final double LOSS_OF_NO_DIFFERENCE = Math.log(2);

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private Path pairs;

  @BeforeEach
  void writePairs() throws IOException {
    pairs = temp.resolve("pairs.jsonl");
    var lines = new StringBuilder();
    for (int i = 0; i < 7; i++) {
      lines.append(pair("question " + i, "yes " + i, "no, never " + i));
    }
    Files.writeString(pairs, lines);
  }

  private static String pair(String prompt, String chosen, String rejected) {
    return "{\"prompt\": [{\"role\": \"user\", \"content\": \"%s\"}], \"chosen\": \"%s\", \"rejected\": \"%s\"}%n"
        .formatted(prompt, chosen, rejected);
  }

  private DpoSummary run(String id, Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("model", List.of(MODEL.toString()));
    values.put("input", List.of(pairs.toString()));
    values.put("run-id", List.of(id));
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out-" + id).toString()));
    values.put("batch-size", List.of("2"));
    values.put("gradient-accumulation-steps", List.of("2"));
    values.put("max-steps", List.of("3"));
    values.put("learning-rate", List.of("0.003"));
    values.put("warmup-steps", List.of("0"));
    given.forEach((name, value) -> values.put(name, List.of(value.toString())));
    return new DpoJob().run(spark, OptionsBinder.of(DpoOptions.class).bind(values));
  }

  private Map<String, Double> metrics(String id) {
    var metrics = new TreeMap<String, Double>();
    for (Row row :
        spark
            .read()
            .parquet(temp.resolve("warehouse/metrics/run_id=" + id).toString())
            .collectAsList()) {
      metrics.put(row.getAs("step") + " " + row.getAs("name"), row.getAs("value"));
    }
    return metrics;
  }

  private byte[] result(String id, String file) throws IOException {
    return Files.readAllBytes(temp.resolve("out-" + id).resolve(file));
  }

  private long tokenTables() throws IOException {
    try (Stream<Path> tables = Files.list(temp.resolve("warehouse/_tokens"))) {
      return tables.count();
    }
  }

  @Test
  void theBetterAnswersBecomeLikelierThanTheOthers() throws IOException {
    DpoSummary summary =
        run(
            "first",
            Map.of(
                "max-steps",
                20,
                "eval-input",
                pairs,
                "eval-steps",
                10,
                "best-by",
                "eval_rewards/margins",
                "beta",
                "0.3"));

    Map<String, Double> metrics = metrics("first");
    assertThat(metrics.get("1 loss")).isCloseTo(LOSS_OF_NO_DIFFERENCE, within(1e-5));
    assertThat(metrics.get("1 rewards/chosen")).isCloseTo(0, within(1e-5));
    assertThat(metrics.get("1 rewards/margins")).isCloseTo(0, within(1e-5));
    assertThat(metrics.get("20 loss")).isLessThan(0.3);
    assertThat(metrics.get("20 eval_rewards/accuracies")).isEqualTo(1);
    assertThat(metrics.get("20 eval_rewards/margins"))
        .isGreaterThan(metrics.get("10 eval_rewards/margins"));
    assertThat(metrics.get("20 logps/chosen")).isGreaterThan(metrics.get("20 logps/rejected"));
    assertThat(summary.figures()).containsEntry("best_step", 20L).containsEntry("rows_kept", 7L);
    assertThat(summary.toJson().path("unit").asText()).isEqualTo("pairs");
    Path out = temp.resolve("out-first");
    assertThat(out.resolve("README.md"))
        .content()
        .contains("Direct preference optimisation of student", "pairs.jsonl", "| beta | 0.3 |")
        .contains("## rewards/margins", "## Samples");
    assertThat(out.resolve("metrics.html"))
        .content()
        .contains("rewards/accuracies", "logps/chosen");
    assertThat(out.resolve("samples/samples-0000000020.jsonl"))
        .content()
        .contains("\"expected\":\"yes 0<|im_end|>\"");
  }

  /** Pitfall 17: with adapters or without, the reference is the model as training begins. */
  @Test
  void whatTheReferenceSaysIsComputedOnceAndHoldsForAllRuns() throws IOException {
    run("full", Map.of());
    long tables = tokenTables();
    assertThat(tables).isEqualTo(2);
    run("lora", Map.of("trainable", "lora", "loss", "ipo", "beta", "0.5"));
    run("given", Map.of("ref-model", MODEL, "loss", "hinge"));
    assertThat(tokenTables()).as("the same rows and the same reference").isEqualTo(tables);
    assertThat(metrics("lora").get("1 rewards/margins")).isCloseTo(0, within(1e-5));
    assertThat(metrics("lora").get("1 loss")).as("of IPO").isCloseTo(1, within(1e-4));
    assertThat(metrics("given").get("1 loss")).as("of a hinge").isCloseTo(1, within(1e-5));
    assertThat(temp.resolve("out-lora/adapter_config.json")).exists();

    run("other", Map.of("ref-model", temp.resolve("out-full"), "label-smoothing", "0.2"));
    assertThat(tokenTables()).as("another reference").isEqualTo(tables + 1);
    assertThat(metrics("other").get("1 rewards/margins"))
        .as("held near to a model that prefers the chosen answers already")
        .isNegative();
  }

  @Test
  void simpoAsksNoReference() throws IOException {
    Map<String, Object> simpo = Map.of("loss", "simpo", "trainable", "lora", "max-steps", 20);
    run("simpo", with(simpo, "eval-input", pairs, "eval-steps", 10));
    assertThat(tokenTables()).as("the pairs and those evaluated on, without figures").isEqualTo(1);
    Map<String, Double> metrics = metrics("simpo");
    assertThat(metrics.get("1 rewards/chosen"))
        .as("beta times a mean a token")
        .isCloseTo(2 * metrics.get("1 logps/chosen"), within(1e-6));
    assertThat(metrics.get("20 eval_rewards/margins"))
        .isGreaterThan(metrics.get("10 eval_rewards/margins"))
        .isGreaterThan(1);

    // An adapter goes on without a reference, since nothing is compared with its base.
    run("on", with(simpo, "max-steps", 1, "adapter", temp.resolve("out-simpo")));
    assertThat(metrics("on").get("1 rewards/margins"))
        .isGreaterThan(metrics.get("1 rewards/margins"));
  }

  @Test
  void oneToFourWorkersGiveTheSameBits() throws IOException {
    for (int workers : new int[] {1, 2, 4}) {
      run("w" + workers, Map.of("workers", workers));
      assertThat(metrics("w" + workers)).isEqualTo(metrics("w1"));
      assertThat(result("w" + workers, "model.safetensors"))
          .isEqualTo(result("w1", "model.safetensors"));
    }
  }

  @Test
  void resumingGivesTheBitsOfARunThatNothingStopped() throws IOException {
    Map<String, Object> options = Map.of("trainable", "lora", "save-steps", 1);
    run("whole", with(options, "max-steps", 4));
    run("cut", with(options, "max-steps", 2));
    Files.delete(temp.resolve("warehouse/_runs/cut.json"));
    run("cut", with(options, "max-steps", 4));
    assertThat(result("cut", "adapter_model.safetensors"))
        .isEqualTo(result("whole", "adapter_model.safetensors"));
    assertThat(metrics("cut")).isEqualTo(metrics("whole"));
    assertThatThrownBy(() -> run("cut", with(options, "beta", "0.2", "max-steps", 5)))
        .hasMessageContaining("beta");
  }

  private static Map<String, Object> with(Map<String, Object> options, Object... more) {
    var all = new HashMap<>(options);
    for (int i = 0; i < more.length; i += 2) {
      all.put(more[i].toString(), more[i + 1]);
    }
    return all;
  }

  @Test
  void pairsThatSayNothingAreCountedByNameAndNotTrainedOn() throws IOException {
    String long40 = "long ".repeat(40).strip();
    Files.writeString(
        pairs,
        pair("a", "same", "same")
            + pair("b", "yes", "no")
            + pair(long40 + " " + long40, "yes", "no")
            + pair("c", "yes", long40 + " " + long40)
            + pair("d", "yes", "no").replace("}]", "}], \"tools\": \"[{}]\""));

    DpoSummary cut = run("cut", Map.of("max-steps", 1));
    DpoSummary left = run("left", Map.of("max-steps", 1, "over-length", "cut"));
    DpoSummary none = run("none", Map.of("max-steps", 1, "over-length", "reject"));

    assertThat(cut.run().rejects())
        .isEqualTo(Map.of("equal_answers", 1L, "prompt_too_long", 1L, "not_in_template", 1L));
    assertThat(cut.figures()).containsEntry("rows_cut", 1L).containsEntry("rows_without_stop", 1L);
    assertThat(left.run().rejects()).doesNotContainKey("prompt_too_long");
    assertThat(none.run().rejects()).containsEntry("longer_than_max_length", 1L);
    assertThat(none.figures()).containsEntry("rows_kept", 1L);
  }

  @Test
  void whatCannotBeTrainedOnIsRefusedBeforeTheFirstStep() throws IOException {
    refused(Map.of("template", "llama3"), "needs <|begin_of_text|>");
    refused(Map.of("max-length", 65), "a context of 64 tokens, found 65");
    refused(Map.of("use", "commercial"), "names no license");
    refused(Map.of("dropout", "0.1"), "Option --dropout: a policy is compared");
    refused(Map.of("packing", "isolated"), "Option --packing: a pair stands alone");
    refused(Map.of("over-length", "split"), "a pair cannot be split");
    refused(Map.of("loss", "ipo", "label-smoothing", "0.1"), "--label-smoothing");
    refused(Map.of("trainable", "lora", "adapter", temp), "give --ref-model");
    refused(Map.of("loss", "simpo", "ref-model", MODEL), "compares with no reference");
    refused(Map.of("simpo-gamma", "0.5"), "--simpo-gamma");
    refused(Map.of("ref-model", temp.resolve("none")), "Option --ref-model");
    Path scores = TinyReward.write(temp.resolve("scores"), 0);
    refused(Map.of("ref-model", scores), "it scores texts");
    refused(Map.of("model", scores), "scores texts and writes none");
    Path other = Files.createDirectory(temp.resolve("other"));
    for (String name : List.of("config.json", "model.safetensors")) {
      Files.copy(MODEL.resolve(name), other.resolve(name));
    }
    Files.writeString(
        other.resolve("tokenizer.json"),
        Files.readString(MODEL.resolve("tokenizer.json")).replace("<|im_start|>", "<|other|>"));
    refused(Map.of("ref-model", other), "theirs are two vocabularies");
    Files.writeString(pairs, pair("a", "same", "same"));
    refused(Map.of(), "nothing is left to learn of its 1 rows; rejected: {equal_answers=1}");
    assertThat(temp.resolve("out-refused")).doesNotExist();
  }

  private void refused(Map<String, Object> given, String message) {
    assertThatThrownBy(() -> run("refused", given))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
  }

  @Test
  void aDryRunCountsAndWritesNothing() {
    DpoSummary summary = run("plan", Map.of("dry-run", true));

    assertThat(summary.training())
        .containsEntry("rows_kept", 7L)
        .containsEntry("total_steps", 3L)
        .containsKeys("memory_bytes", "hours_here", "fitting_batch_size");
    assertThat(temp.resolve("warehouse")).doesNotExist();
    assertThat(temp.resolve("out-plan")).doesNotExist();
  }

  /** The day is the run's, of its first try; see JobRunTest. */
  @Test
  void pairsAreWrittenByTheModelsOwnTemplateOnADayAndWithArguments() throws IOException {
    Path model = Files.createDirectory(temp.resolve("model"));
    try (var files = Files.list(MODEL)) {
      for (Path file : files.toList()) {
        Files.copy(file, model.resolve(file.getFileName().toString()));
      }
    }
    Files.writeString(
        model.resolve("chat_template.jinja"),
        "{% for m in messages %}<|im_start|>{{ strftime_now('%d/%m/%y') }}{{ mood }}{{ m.content }}"
            + "<|im_end|>{% endfor %}");
    PrintStream before = System.out;
    var printed = new ByteArrayOutputStream();
    try {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      run(
          "day",
          Map.of(
              "model",
              model,
              "dry-run",
              true,
              "show",
              1,
              "template-date",
              "1999-12-31",
              "template-args",
              "{\"mood\": \"!\"}"));
    } finally {
      System.setOut(before);
    }
    String tokens =
        Pattern.compile("(?m)^ *\\d+ +\\d+ '(.*?)' *\\*? *$")
            .matcher(printed.toString(StandardCharsets.UTF_8))
            .results()
            .map(found -> found.group(1))
            .collect(Collectors.joining());
    assertThat(tokens).contains("<|im_start|>31/12/99!");
  }
}
