package dev.distillery.jobs.pretrain;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.BpeTrainer;
import dev.distillery.model.tokenizer.PreTokenizer;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PretrainJobTest {
  private static final Path STUDENT =
      FetchedModel.root().resolve("common/model/src/test/resources/golden/student");

  private final SparkSession spark = LocalSpark.session();

  @TempDir Path temp;

  private PretrainSummary run(Map<String, Object> given) {
    var values = new HashMap<String, List<String>>();
    values.put("warehouse", List.of(temp.resolve("warehouse").toString()));
    values.put("output-dir", List.of(temp.resolve("out").toString()));
    given.forEach((name, value) -> values.put(name, List.of(value.toString())));
    return new PretrainJob().run(spark, OptionsBinder.of(PretrainOptions.class).bind(values));
  }

  private Path documents() throws IOException {
    return Files.writeString(
        temp.resolve("documents.jsonl"),
        """
        {"text": "the fox in the water, the fox in the snow, the fox in the barn and the fox in the field, again and again"}
        {"text": "one two three"}
        {"text": ""}
        """);
  }

  @Test
  void aPlanOfANewModelHasItsTokensAndParameters() throws IOException {
    PretrainSummary summary =
        run(
            Map.of(
                "model",
                "stories-260k",
                "tokenizer-from",
                "train",
                "vocab-size",
                270,
                "input",
                documents(),
                "max-length",
                16,
                "batch-size",
                1,
                "num-epochs",
                2,
                "dry-run",
                true));

    Map<String, Number> figures = summary.figures();
    assertThat(summary.rejects()).containsExactly(Map.entry("empty", 1L));
    assertThat(figures)
        .containsEntry("rows_read", 3L)
        .containsEntry("rows_split", 1L)
        .containsEntry("tokens_cut", 0L)
        .containsEntry("tokens_read", figures.get("tokens_per_epoch"))
        .containsEntry("total_steps", 2 * figures.get("rows_per_epoch").longValue());
    // A tied head: embedding, and five layers of 64 wide.
    ModelConfig config = ModelConfigs.named("stories-260k").toBuilder().vocabSize(270).build();
    assertThat(figures.get("parameters").longValue()).isEqualTo(config.parameterCount());
    assertThat(temp.resolve("warehouse")).doesNotExist();
    assertThat(temp.resolve("out")).doesNotExist();
  }

  @Test
  void aTokenizerIsTheSameHoweverManyPartitionsItIsTrainedOn() {
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      texts.add("the fox " + i + " in the water and the barn " + i % 7);
    }
    BpeTrainer alone = new BpeTrainer(PreTokenizer.GPT2);
    texts.forEach(alone::add);
    Tokenizer expected = alone.train(300, 2, List.of("<|endoftext|>"));
    var context = JavaSparkContext.fromSparkContext(spark.sparkContext());
    for (int partitions : new int[] {1, 5}) {
      Tokenizer trained = NewModel.train(context.parallelize(texts, partitions), 300);

      assertThat(trained.vocabSize()).isEqualTo(expected.vocabSize());
      for (String text : texts) {
        assertThat(trained.encode(text)).isEqualTo(expected.encode(text));
      }
    }
  }

  @Test
  void aNewModelIsWrittenOnceAndTheSameFromTheSameSeed() throws IOException {
    Tokenizer tokenizer = NewModel.open(STUDENT.toString());
    ModelConfig shape = ModelConfigs.named("stories-260k");
    NewModel.write(temp.resolve("a"), shape, tokenizer, 1);
    NewModel.write(temp.resolve("b"), shape, tokenizer, 1);
    NewModel.write(temp.resolve("c"), shape, tokenizer, 2);
    var modified = Files.getLastModifiedTime(temp.resolve("a/model.safetensors"));
    NewModel.write(temp.resolve("a"), shape, tokenizer, 1);

    assertThat(Files.getLastModifiedTime(temp.resolve("a/model.safetensors"))).isEqualTo(modified);
    assertThat(ModelHash.of(temp.resolve("a"))).isEqualTo(ModelHash.of(temp.resolve("b")));
    assertThat(ModelHash.of(temp.resolve("a"))).isNotEqualTo(ModelHash.of(temp.resolve("c")));
    try (ModelFiles files = ModelFiles.open(temp.resolve("a"))) {
      assertThat(files.config().vocabSize()).isEqualTo(tokenizer.vocabSize());
      assertThat(files.specialTokens().stop()).hasSize(1);
    }
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeTheFirstStep() throws IOException {
    Path rows = documents();
    refused(Map.of("model", "gpt2", "input", rows), "--tokenizer-from is required");
    refused(
        Map.of("model", STUDENT, "input", rows, "tokenizer-from", "train"),
        "has no effect on the checkpoint");
    refused(
        Map.of(
            "model",
            "gpt2",
            "input",
            rows,
            "tokenizer-from",
            Files.createDirectory(temp.resolve("empty"))),
        "Option --tokenizer-from: ");
    refused(
        Map.of("model", "gpt2", "input", rows, "tokenizer-from", "train", "max-length", 2000),
        "a context of 1024 tokens, found 2000");
    refused(
        Map.of("model", "gpt2", "input", rows, "tokenizer-from", STUDENT, "vocab-size", 300),
        "--vocab-size");
    refused(Map.of("model", "gpt9", "input", rows), "Option --model");
    Path endless = Files.createDirectory(temp.resolve("endless"));
    BpeTrainer trainer = new BpeTrainer(PreTokenizer.GPT2);
    trainer.add("a b");
    TokenizerWriter.writeJson(endless.resolve("tokenizer.json"), trainer.train(256, 2, List.of()));
    refused(
        Map.of("model", "gpt2", "input", rows, "tokenizer-from", endless),
        "to end a document with");
  }

  private void refused(Map<String, Object> given, String message) {
    assertThatThrownBy(() -> run(given))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(message);
    assertThat(temp.resolve("out")).doesNotExist();
  }
}
