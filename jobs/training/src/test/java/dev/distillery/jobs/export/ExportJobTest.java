package dev.distillery.jobs.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.SummaryJson;
import dev.distillery.jobs.inspect.InspectJob;
import dev.distillery.jobs.inspect.InspectOptions;
import dev.distillery.jobs.inspect.InspectSummary;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.tokenizer.BpeTrainer;
import dev.distillery.model.tokenizer.ByteLevelBpe;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.PreTokenizer;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.JobCall;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExportJobTest {
  private static final ModelConfig CONFIG =
      ModelConfig.llama()
          .vocabSize(270)
          .hiddenSize(32)
          .intermediateSize(64)
          .layers(2)
          .heads(4)
          .kvHeads(2)
          .tieEmbeddings(true)
          .build();
  private static final SpecialTokens TOKENS =
      new SpecialTokens(OptionalInt.of(0), List.of(1), OptionalInt.of(1));
  private static final String TEXT = "the cat sat<|im_end|> 12\n";

  @TempDir Path temp;
  private Path model;
  private Tokenizer tokenizer;

  @BeforeEach
  void writeAModel() throws IOException {
    model = temp.resolve("model");
    ModelWriter.write(model, CONFIG, TOKENS, weights(), TensorType.F32);
    BpeTrainer trainer = new BpeTrainer(PreTokenizer.SMOLLM);
    trainer.add("the cat sat on the mat, that cat");
    ByteLevelBpe trained = trainer.train(270, 2, List.of("<|im_start|>", "<|im_end|>"));
    tokenizer = trained;
    TokenizerWriter.write(
        model, trained, TOKENS, Optional.of(ChatTemplate.named("chatml", "<|im_end|>")));
  }

  @Test
  void aModelGoesToGgufAndBackUnchanged() throws IOException {
    Path gguf = temp.resolve("model.gguf");
    ExportSummary first = export("--model", model, "--format", "gguf", "--output", gguf);
    assertThat(first.status()).isEqualTo("done");
    assertThat(first.figures()).containsEntry("parameters", CONFIG.parameterCount());
    assertThat(first.template()).isEqualTo("own");
    Path back = temp.resolve("back");
    export("--model", gguf, "--output", back);
    try (ModelFiles original = ModelFiles.open(model);
        ModelFiles written = ModelFiles.open(back)) {
      for (TensorSpec spec : ModelTensors.of(CONFIG)) {
        assertThat(written.weights().read(spec.name()))
            .as(spec.name())
            .containsExactly(original.weights().read(spec.name()));
      }
      assertThat(written.specialTokens()).isEqualTo(TOKENS);
      assertThat(ModelTemplates.read(written)).isEqualTo(ModelTemplates.read(original));
    }
    assertThat(Tokenizers.open(back).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
    assertThat(Tokenizers.open(gguf).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
  }

  /** No row of the model is a whole block of 256. */
  @Test
  void matricesThatCannotHaveTheTypeAreCounted() throws IOException {
    Path gguf = temp.resolve("model.gguf");
    ExportSummary summary =
        export("--model", model, "--format", "gguf", "--dtype", "q4-k", "--output", gguf);
    assertThat(summary.figures()).containsEntry("fallbacks", 15L).containsEntry("tensors", 20L);
    try (ModelFiles written = ModelFiles.open(gguf)) {
      for (TensorSpec spec : ModelTensors.of(CONFIG)) {
        assertThat(written.weights().weights().get(spec.name()).type())
            .isEqualTo(spec.shape().size() == 1 ? TensorType.F32 : TensorType.Q5_0);
      }
    }
    assertThat(export("--model", model, "--output", temp.resolve("hf")).fallbacks()).isZero();
  }

  @Test
  void whatBlocksCannotHoldIsRefused() throws IOException {
    for (float value : new float[] {Float.NaN, Float.NEGATIVE_INFINITY, 65_505}) {
      Path broken = temp.resolve("broken" + value);
      ArrayWeights weights = weights();
      TensorSpec spec = ModelTensors.of(CONFIG).get(0);
      float[] values = weights.read(spec.name()).clone();
      values[99] = value;
      weights.put(spec, values);
      ModelWriter.write(broken, CONFIG, TOKENS, weights, TensorType.F32);
      Path gguf = temp.resolve("broken.gguf");
      for (String dtype : List.of("q4-k", "q4-0")) {
        assertThatThrownBy(
                () ->
                    export(
                        "--model", broken, "--format", "gguf", "--dtype", dtype, "--output", gguf))
            .isInstanceOf(JobException.class)
            .hasMessageContaining(spec.name() + " as Q")
            .hasMessageContaining("it holds " + value + ", and blocks hold");
        Files.deleteIfExists(gguf);
      }
    }
  }

  @Test
  void namedTemplatesGoToGgufAndBack() throws IOException {
    Path named = temp.resolve("model/additional_chat_templates");
    Files.createDirectories(named);
    Files.writeString(named.resolve("tool_use.jinja"), "{{ tools | tojson }}\n");
    Files.writeString(named.resolve("rag.jinja"), "{{ documents | length }} \u6cb3");
    Path gguf = temp.resolve("model.gguf");
    export("--model", model, "--format", "gguf", "--output", gguf);
    Path back = temp.resolve("back");
    export("--model", gguf, "--output", back);
    Files.writeString(back.resolve("additional_chat_templates/old.jinja"), "old");
    export("--model", gguf, "--output", back, "--overwrite", "true");
    try (ModelFiles original = ModelFiles.open(model);
        ModelFiles written = ModelFiles.open(back)) {
      ModelTemplates templates = ModelTemplates.read(written).orElseThrow();
      assertThat(templates.others()).containsOnlyKeys("rag", "tool_use");
      assertThat(Optional.of(templates)).isEqualTo(ModelTemplates.read(original));
    }
    try (var files = Files.list(temp)) {
      assertThat(files).noneMatch(file -> file.getFileName().toString().startsWith("."));
    }
  }

  /** W + (alpha / r) B A, and the other matrices as they were. */
  @Test
  void anAdapterIsMerged() throws IOException {
    Path adapter = temp.resolve("adapter");
    String module = "model.layers.1.self_attn.q_proj";
    ArrayWeights factors = new ArrayWeights();
    factors.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), random(1, 64));
    factors.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), random(2, 64));
    AdapterConfig config =
        new AdapterConfig(2, 6, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", "");
    AdapterFiles.write(adapter, config, factors);
    Path output = temp.resolve("merged");
    export("--model", model, "--adapter", adapter, "--output", output);
    float[] a = random(1, 64);
    float[] b = random(2, 64);
    try (ModelFiles original = ModelFiles.open(model);
        ModelFiles merged = ModelFiles.open(output)) {
      for (TensorSpec spec : ModelTensors.of(CONFIG)) {
        float[] before = original.weights().read(spec.name());
        float[] after = merged.weights().read(spec.name());
        for (int i = 0; i < before.length; i++) {
          double delta = 0;
          if (spec.name().equals(module + ".weight")) {
            int row = i / 32;
            int column = i % 32;
            delta = 3.0 * (b[2 * row] * a[column] + b[2 * row + 1] * a[32 + column]);
          }
          assertThat((double) after[i]).isCloseTo(before[i] + delta, within(1e-5));
        }
      }
    }
  }

  private Path adapterWithATokenizer(String name, Tokenizer own, String template)
      throws IOException {
    Path adapter = temp.resolve(name);
    String module = "model.layers.1.self_attn.q_proj";
    ArrayWeights factors = new ArrayWeights();
    factors.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), random(1, 64));
    factors.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), random(2, 64));
    AdapterFiles.write(
        adapter,
        new AdapterConfig(2, 6, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", ""),
        factors);
    TokenizerWriter.write(
        adapter, own, TOKENS, Optional.of(ChatTemplate.named(template, "<|im_end|>")));
    return adapter;
  }

  private static Tokenizer trained(int size, String... marks) {
    return trained("the cat sat on the mat, that cat", size, marks);
  }

  private static Tokenizer trained(String text, int size, String... marks) {
    BpeTrainer trainer = new BpeTrainer(PreTokenizer.SMOLLM);
    trainer.add(text);
    return trainer.train(size, 2, List.of(marks));
  }

  /** The embedding has rows to spare, as that of many published models. */
  @Test
  void tokensAndTemplateThatAnAdapterBringsAreWritten() throws IOException {
    Path small = temp.resolve("small");
    ModelWriter.write(small, CONFIG, TOKENS, weights(), TensorType.F32);
    TokenizerWriter.write(
        small,
        trained(260, "<|im_start|>", "<|im_end|>"),
        TOKENS,
        Optional.of(ChatTemplate.named("chatml", "<|im_end|>")));
    Path adapter = adapterWithATokenizer("adds", tokenizer, "llama3");
    for (String format : List.of("hf", "gguf")) {
      Path output = temp.resolve("merged." + format);
      export("--model", small, "--adapter", adapter, "--format", format, "--output", output);
      Tokenizer written = Tokenizers.open(output);
      assertThat(written.encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
      assertThat(trained(260, "<|im_start|>", "<|im_end|>").encode(TEXT))
          .isNotEqualTo(tokenizer.encode(TEXT));
      try (ModelFiles merged = ModelFiles.open(output)) {
        assertThat(ModelTemplates.read(merged).map(ModelTemplates::jinja))
            .isEqualTo(ModelTemplates.ofDirectory(adapter).map(ModelTemplates::jinja));
      }
    }
    assertThatThrownBy(() -> export("--model", small, "--adapter", adapter, "--output", adapter))
        .hasMessageContaining("it is --adapter itself");
  }

  @Test
  void anAdaptersTokenizerThatDoesNotFitIsRefused() throws IOException {
    Path other = adapterWithATokenizer("other", trained(270, "<s>", "</s>"), "chatml");
    assertThatThrownBy(
            () -> export("--model", model, "--adapter", other, "--output", temp.resolve("x")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(other + ": its own tokenizer has '<s>' as token 0")
        .hasMessageContaining("name the one that is right by --tokenizer");
    Path bare = temp.resolve("bare");
    ModelWriter.write(bare, CONFIG, TOKENS, weights(), TensorType.F32);
    Tokenizer large =
        trained("one two three four five six seven ".repeat(3), 275, "<|im_start|>", "<|im_end|>");
    Path larger = adapterWithATokenizer("larger", large, "chatml");
    assertThatThrownBy(
            () -> export("--model", bare, "--adapter", larger, "--output", temp.resolve("x")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("has 275 tokens where the embedding has 270 rows");
    export(
        "--model", model, "--adapter", other, "--tokenizer", model, "--output", temp.resolve("x"));
    assertThat(Tokenizers.open(temp.resolve("x")).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
  }

  @Test
  void anAdapterOfAnotherModelIsRefused() throws IOException {
    Path adapter = temp.resolve("adapter");
    ArrayWeights factors = new ArrayWeights();
    String module = "model.layers.7.self_attn.q_proj";
    factors.put(new TensorSpec(module + ".lora_A.weight", List.of(2, 32)), random(1, 64));
    factors.put(new TensorSpec(module + ".lora_B.weight", List.of(32, 2)), random(2, 64));
    AdapterFiles.write(
        adapter,
        new AdapterConfig(2, 6, 0, List.of("q_proj"), false, List.of(), "CAUSAL_LM", ""),
        factors);
    assertThatThrownBy(
            () -> export("--model", model, "--adapter", adapter, "--output", temp.resolve("x")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining(module);
  }

  @Test
  void whatIsThereIsNotOverwritten() throws IOException {
    assertThatThrownBy(() -> export("--model", model, "--output", model))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("it is there already; choose another --output");
    Path file = Files.writeString(temp.resolve("x.gguf"), "mine");
    assertThatThrownBy(() -> export("--model", model, "--format", "gguf", "--output", file))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("x.gguf");
    assertThat(file).hasContent("mine");
  }

  @Test
  void aDryRunWritesNothing() {
    Path output = temp.resolve("dry");
    ExportSummary summary = export("--model", model, "--output", output, "--dry-run", true);
    assertThat(summary.status()).isEqualTo("dry-run");
    assertThat(output).doesNotExist();
  }

  /** Nothing of it is run, whatever it is; a named one stands in its place. */
  @Test
  void aModelsTemplatesTravelAsTheyCame() throws IOException {
    Files.writeString(model.resolve("chat_template.jinja"), "{{ anything | at_all }}");
    assertThat(export("--model", model, "--output", temp.resolve("a")).template()).isEqualTo("own");
    assertThat(temp.resolve("a").resolve("chat_template.jinja"))
        .hasContent("{{ anything | at_all }}");
    assertThat(
            export("--model", model, "--output", temp.resolve("b"), "--chat-template", "chatml")
                .template())
        .isEqualTo("chatml");
    assertThat(temp.resolve("b").resolve("chat_template.jinja"))
        .hasContent(ChatTemplate.named("chatml", "<|im_end|>").jinja());
  }

  @Test
  void inspectDescribesFilesAndNamedConfigurations() {
    InspectSummary files = inspect(model.toString());
    assertThat(files.figures())
        .containsEntry("parameters", CONFIG.parameterCount())
        .containsEntry("stored_bytes", 4 * CONFIG.parameterCount())
        .containsEntry("texts_given_back", 7)
        .containsEntry("texts_tried", 7);
    assertThat(files.sizes().architecture()).isEqualTo("llama");
    assertThat(SummaryJson.read(InspectSummary.class, files.toJson())).isEqualTo(files);
    InspectSummary named = inspect("llama-7b");
    assertThat(named.figures())
        .containsEntry("parameters", 6_738_415_616L)
        .doesNotContainKey("stored_bytes");
    assertThat(named.estimate().publishedRuns().toString()).contains("Alpaca", "Koala");
    assertThatThrownBy(() -> inspect(temp.resolve("nothing").toString()))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("no such file or directory")
        .hasMessageContaining("smollm2-135m");
  }

  /** A folder's other files stay; what of the old model the new one lacks goes. */
  @Test
  void anOutputIsReplacedWhereThatIsAskedFor() throws IOException {
    Path output = Files.createDirectory(temp.resolve("out"));
    for (String old : List.of("config.json", "model-00001-of-00002.safetensors", "notes.txt")) {
      Files.writeString(output.resolve(old), "old");
    }
    Files.writeString(output.resolve("model.safetensors.index.json"), "old");
    Files.writeString(output.resolve("added_tokens.json"), "old");
    assertThatThrownBy(() -> export("--model", model, "--output", output))
        .hasMessageContaining("it is there already; choose another --output, or give --overwrite");
    export("--model", model, "--output", output, "--overwrite", "true");
    assertThat(Tokenizers.open(output).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
    try (ModelFiles written = ModelFiles.open(output)) {
      assertThat(written.config().vocabSize()).isEqualTo(270);
    }
    assertThat(output.resolve("notes.txt")).hasContent("old");
    assertThat(output.resolve("model-00001-of-00002.safetensors")).doesNotExist();
    assertThat(output.resolve("model.safetensors.index.json")).doesNotExist();
    assertThat(output.resolve("added_tokens.json")).doesNotExist();

    Path gguf = Files.writeString(temp.resolve("m.gguf"), "old");
    assertThatThrownBy(() -> export("--model", model, "--format", "gguf", "--output", gguf))
        .hasMessageContaining("it is there already");
    export("--model", model, "--format", "gguf", "--output", gguf, "--overwrite", "true");
    assertThat(Tokenizers.open(gguf).encode(TEXT)).isEqualTo(tokenizer.encode(TEXT));
    try (var files = Files.list(temp)) {
      assertThat(files).noneMatch(file -> file.getFileName().toString().startsWith("."));
    }
    assertThatThrownBy(() -> export("--model", gguf, "--output", gguf, "--overwrite", "true"))
        .hasMessageContaining("it is a file, which --overwrite does not replace by a folder");
    assertThatThrownBy(() -> export("--model", model, "--output", model, "--overwrite", "true"))
        .hasMessageContaining("it is --model itself; choose another --output");
  }

  @Test
  void everyViolationIsListed() {
    assertThatThrownBy(() -> options(ExportOptions.class, Map.of()))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("--model")
        .hasMessageContaining("--output");
    assertThatThrownBy(
            () -> options(ExportOptions.class, Map.of("model", " ", "output", " ", "dtype", "q8")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("--model: expected a text, found ''")
        .hasMessageContaining("--output: expected a text, found ''")
        .hasMessageContaining("q8 and below are for --format gguf");
    assertThatThrownBy(
            () ->
                options(
                    InspectOptions.class,
                    Map.of(
                        "model", "m",
                        "hardware", "abacus",
                        "training-tokens", "0",
                        "sequence-length", "0")))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("abacus")
        .hasMessageContaining("--training-tokens: expected 1 or more, found 0")
        .hasMessageContaining("--sequence-length: expected 1 to 16777216, found 0");
  }

  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(ExportOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            adapter (none)
            tokenizer (none)
            chat-template (none)
            format hf
            dtype f32
            output (required)
            """)
        .arrive(
            """
            model m
            adapter a
            tokenizer t
            chat-template koala
            format gguf
            dtype f16
            output o
            """);
    OptionsKit.of(InspectOptions.class, RunOptions.class)
        .defaults(
            """
            model (required)
            hardware 8xa100-80gb
            training-tokens 10000000
            sequence-length 512
            """)
        .arrive(
            """
            model n
            hardware cpu-2core
            training-tokens 7
            sequence-length 9
            """);
  }

  private ExportSummary export(Object... arguments) {
    return JobCall.of(new ExportJob(), options(ExportOptions.class, map(arguments)))
        .run(ProgressListener.standardError());
  }

  private InspectSummary inspect(String path) {
    return JobCall.of(new InspectJob(), options(InspectOptions.class, map("--model", path)))
        .run(ProgressListener.standardError());
  }

  private Map<String, String> map(Object... arguments) {
    Map<String, String> map = new HashMap<>();
    map.put("warehouse", temp.resolve("warehouse").toString());
    for (int i = 0; i < arguments.length; i += 2) {
      map.put(arguments[i].toString().substring(2), arguments[i + 1].toString());
    }
    return map;
  }

  private static <O extends Record> O options(Class<O> type, Map<String, String> values) {
    Map<String, List<String>> lists = new HashMap<>();
    values.forEach((name, value) -> lists.put(name, List.of(value)));
    return OptionsBinder.of(type).bind(lists);
  }

  private static ArrayWeights weights() {
    ArrayWeights weights = new ArrayWeights();
    List<TensorSpec> specs = new ArrayList<>(ModelTensors.of(CONFIG));
    for (int i = 0; i < specs.size(); i++) {
      weights.put(specs.get(i), random(100 + i, (int) specs.get(i).elements()));
    }
    return weights;
  }

  private static float[] random(long seed, int count) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextDouble(-1, 1);
    }
    return values;
  }
}
