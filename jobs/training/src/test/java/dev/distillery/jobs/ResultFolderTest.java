package dev.distillery.jobs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.jobs.dpo.DpoJob;
import dev.distillery.jobs.ppo.PpoJob;
import dev.distillery.jobs.pretrain.PretrainJob;
import dev.distillery.jobs.reward.RewardJob;
import dev.distillery.jobs.sft.SftJob;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobCall;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What every training job keeps from being lost under its result. */
class ResultFolderTest {
  private static final Path STUDENT =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  static final List<Job<?, ?>> JOBS =
      List.of(new SftJob(), new PretrainJob(), new RewardJob(), new PpoJob(), new DpoJob());

  @TempDir Path temp;

  private Path model;

  @BeforeEach
  void copyTheModel() throws IOException {
    model = copy(temp.resolve("models ü x/student"));
  }

  private static Path copy(Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(STUDENT)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName().toString()));
      }
    }
    return to;
  }

  private static <O extends Record> void check(Job<O, ?> job, Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    values.put("input", List.of("none.jsonl"));
    if (job.name().equals("ppo")) {
      values.put("reward", List.of("count:e=1"));
    }
    given.forEach((name, value) -> values.put(name, List.of(value)));
    var unused = JobCall.of(job, OptionsBinder.of(job.optionsType()).bind(values));
  }

  private static void refused(Job<?, ?> job, Map<String, String> given, String... words) {
    assertThatThrownBy(() -> check(job, given))
        .as(job.name())
        .isInstanceOf(JobException.class)
        .hasMessageStartingWith("Option --output-dir: " + given.get("output-dir"))
        .hasMessageContainingAll(words)
        .hasMessageContaining("name a folder of its own");
  }

  @ParameterizedTest
  @FieldSource("JOBS")
  void theFolderOfTheModelTakesNoResult(Job<?, ?> job) throws IOException {
    String before = ModelHash.of(model);
    Path link = Files.createSymbolicLink(temp.resolve("link"), model.getParent());
    for (Map.Entry<Path, String> output :
        Map.of(
                model,
                " is --model ",
                model.resolve("tuned"),
                " lies in --model ",
                model.getParent(),
                " contains --model ",
                link.resolve("student"),
                " is --model ",
                link.resolve("student/../student/new"),
                " lies in --model ")
            .entrySet()) {
      refused(
          job,
          Map.of("model", model.toString(), "output-dir", output.getKey().toString()),
          output.getValue() + model);
    }
    assertThat(ModelHash.of(model)).isEqualTo(before);
    check(
        job, Map.of("model", model.toString(), "output-dir", model.resolveSibling("s").toString()));
  }

  static Stream<Arguments> otherModels() {
    return Stream.of(
        Arguments.of(new SftJob(), "distill", STUDENT.toString()),
        Arguments.of(new PpoJob(), "ref-model", STUDENT.toString()),
        Arguments.of(new PpoJob(), "reward-model", STUDENT.toString()),
        Arguments.of(new PpoJob(), "value-model", STUDENT.toString()),
        Arguments.of(new DpoJob(), "ref-model", STUDENT.toString()),
        Arguments.of(new PretrainJob(), "tokenizer-from", "stories-260k"));
  }

  @ParameterizedTest
  @MethodSource("otherModels")
  void norDoesTheFolderOfAnotherModelThatIsRead(Job<?, ?> job, String option, String given) {
    refused(
        job,
        Map.of("model", given, option, model.toString(), "output-dir", model.toString()),
        " is --" + option + " " + model);
  }

  private Path adapter() throws IOException {
    ArrayWeights weights = new ArrayWeights();
    String module = "model.layers.1.self_attn.q_proj";
    weights.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), new float[64]);
    weights.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), new float[64]);
    Path adapter = temp.resolve("adapter");
    AdapterFiles.write(
        adapter,
        new AdapterConfig(
            2, 4, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", model.toString()),
        weights);
    return adapter;
  }

  @ParameterizedTest
  @FieldSource("JOBS")
  void norDoesTheFolderOfTheAdapterOrOfItsBase(Job<?, ?> job) throws IOException {
    Path adapter = adapter();
    Map<String, String> given =
        Map.of(
            "model",
            STUDENT.toString(),
            "adapter",
            adapter.toString(),
            "trainable",
            "lora",
            "ref-model",
            STUDENT.toString());
    for (Map.Entry<Path, String> output :
        Map.of(
                adapter, " is --adapter " + adapter,
                model, " is " + model + ", on which --adapter " + adapter + " stands")
            .entrySet()) {
      var values = new HashMap<>(given);
      values.put("output-dir", output.getKey().toString());
      if (!OptionsBinder.of(job.optionsType()).names().contains("ref-model")) {
        values.remove("ref-model");
      }
      refused(job, values, output.getValue());
    }
  }

  @ParameterizedTest
  @FieldSource("JOBS")
  void whatNoTrainingRunWroteIsNotReplaced(Job<?, ?> job) throws IOException {
    Path others = copy(temp.resolve("others"));
    Map<String, String> given =
        Map.of("model", model.toString(), "output-dir", others.toString(), "overwrite", "true");
    assertThatThrownBy(() -> check(job, given))
        .isInstanceOf(JobException.class)
        .hasMessageStartingWith("Option --output-dir: ")
        .hasMessageContaining(others + " holds chat_template.jinja, config.json, ")
        .hasMessageContaining(", …, which no training run wrote")
        .hasMessageContaining("name a folder of its own, or move these away");
    for (String name : List.of("README.md", "runs", "checkpoint-500", "prompts", "base")) {
      Path folder = Files.createDirectories(temp.resolve("with-" + name));
      Files.createDirectory(folder.resolve(name));
      assertThatThrownBy(() -> check(job, Map.of("model", "" + model, "output-dir", "" + folder)))
          .hasMessageContaining(folder + " holds " + name + ", which no training run wrote");
    }
  }

  /** An earlier result of ours, of a version without the mark too, gives way as it always did. */
  @Test
  void whatATrainingRunWroteIsReplacedByAnother() throws IOException {
    Path out = temp.resolve("out ü x");
    Path rows =
        Files.writeString(
            temp.resolve("rows.jsonl"),
            """
            {"messages": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "uno"}]}
            """);
    Map<String, String> given =
        new HashMap<>(
            Map.of(
                "model", model.toString(),
                "output-dir", out.toString(),
                "input", rows.toString(),
                "warehouse", temp.resolve("warehouse ü x").toString(),
                "max-steps", "1",
                "sample-prompts", "0",
                "run-id", "first"));
    train(given);
    assertThat(out.resolve("config.json")).exists();
    Path mark = out.resolve("written-by-distillery.txt");
    assertThat(mark).exists();

    Files.delete(mark);
    given.put("max-steps", "2");
    train(given);
    assertThat(mark).exists();
    assertThat(out.resolve("checkpoint-2/manifest.json")).exists();
  }

  private static void train(Map<String, String> given) {
    var values = new HashMap<String, List<String>>();
    given.forEach((name, value) -> values.put(name, List.of(value)));
    var job = new SftJob();
    var unused = job.run(LocalSpark.session(), OptionsBinder.of(job.optionsType()).bind(values));
  }
}
