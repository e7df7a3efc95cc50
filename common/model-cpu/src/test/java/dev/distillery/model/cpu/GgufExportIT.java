package dev.distillery.model.cpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import de.kherud.llama.InferenceParameters;
import de.kherud.llama.LlamaModel;
import de.kherud.llama.ModelParameters;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.GgufAdapterWriter;
import dev.distillery.model.format.GgufWriter;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.RopeScaling;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.Generator;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.TokenizerWriter;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** llama.cpp loads the GGUF files that are written here, and writes on as the student does. */
class GgufExportIT {
  /** What llama.cpp may change in a logit by keeping keys and values in 16 bits. */
  private static final double ROUNDING = 0.02;

  private static final List<String> PROMPTS =
      List.of(
          "The capital of France is",
          "Water boils at a temperature of",
          "def fibonacci(n):\n    ",
          "To bake a loaf of bread you need",
          "Le chat est sur la",
          "<|im_start|>user\nWhat is the capital of Italy?<|im_end|>\n<|im_start|>assistant\n");

  private static final List<String> SMALL_PROMPTS =
      List.of(
          "dane thestu",
          "  Da \n\n 2024: the 🙂 中文",
          "nada li ".repeat(30),
          "stu",
          "Fo, fo!",
          "x = 3.14",
          "bu bu bu",
          "мы не да",
          "ratufa's");

  @TempDir Path temp;

  /**
   * Small random models with everything that an export carries: grouped queries, LLaMA-3's
   * stretched positions, a head and biases of its own, and each kind of tokenizer.
   */
  @ParameterizedTest
  @ValueSource(strings = {"gpt2.json", "smollm.json", "llama3.json", "llama2c.bin"})
  void llamaCppWritesWhatASmallStudentWrites(String vocabulary) throws IOException {
    Tokenizer tokenizer = Tokenizers.open(Golden.copy("tokenizer/" + vocabulary, temp));
    Path file = temp.resolve(vocabulary + ".gguf");
    writeRandom(file, tokenizer);
    LlamaCpp oracle = new LlamaCpp(file);
    try (LoadedStudent student = new LoadedStudent(file, Tokenizers.open(file), false)) {
      int compared = 0;
      for (String prompt : SMALL_PROMPTS) {
        int[] ids = LoadedStudent.join(tokenizer.prefix(), tokenizer.encode(prompt));
        int[] own = student.greedy(List.of(ids), 24, List.of()).get(0).tokens();
        int sure = student.sure(ids, own, ROUNDING);
        compared += sure;
        // Together, since a tokenizer may take a text's first space for its own.
        int[] whole = LoadedStudent.join(ids, Arrays.copyOf(own, sure));
        String expected =
            tokenizer.decode(whole, true).substring(tokenizer.decode(ids, true).length());
        assertThat(oracle.greedy(prompt, 24)).as(prompt).startsWith(expected);
      }
      assertThat(compared).isGreaterThan(24);
    }
  }

  /** Factors on every linear layer; q and k are stored in another order of rows. */
  @Test
  void llamaCppLoadsAnAdapterOverItsBase() throws IOException {
    Tokenizer tokenizer = Tokenizers.open(Golden.copy("tokenizer/gpt2.json", temp));
    Path base = temp.resolve("base.gguf");
    writeRandom(base, tokenizer);
    Path gguf = temp.resolve("adapter.gguf");
    Path merged = temp.resolve("merged.gguf");
    try (ModelFiles files = ModelFiles.open(base)) {
      AdapterFiles.Adapter adapter = randomAdapter(files);
      GgufAdapterWriter.write(gguf, files.config(), adapter);
      GgufWriter.write(
          merged,
          files.config(),
          files.specialTokens(),
          TokenizerWriter.ggufMetadata(tokenizer, files.config().vocabSize(), Optional.empty()),
          MergedWeights.of(files.config(), files.weights(), adapter),
          TensorType.F32);
      adapter.weights().close();
    }
    LlamaCpp alone = new LlamaCpp(base);
    int compared = 0;
    int changed = 0;
    try (LlamaModel oracle =
            new LlamaModel(
                new ModelParameters()
                    .setModel(base.toString())
                    .addLoraAdapter(gguf.toString())
                    .setCtxSize(512)
                    .setThreads(1)
                    .disableLog());
        LoadedStudent student = new LoadedStudent(merged, Tokenizers.open(merged), false)) {
      for (String prompt : SMALL_PROMPTS) {
        int[] ids = LoadedStudent.join(tokenizer.prefix(), tokenizer.encode(prompt));
        int[] own = student.greedy(List.of(ids), 24, List.of()).get(0).tokens();
        int sure = student.sure(ids, own, ROUNDING);
        compared += sure;
        int[] whole = LoadedStudent.join(ids, Arrays.copyOf(own, sure));
        String expected =
            tokenizer.decode(whole, true).substring(tokenizer.decode(ids, true).length());
        String reply =
            oracle.complete(
                new InferenceParameters(prompt).setNPredict(24).setTemperature(0).setTopK(1));
        assertThat(reply).as(prompt).startsWith(expected);
        changed += alone.greedy(prompt, 24).equals(reply) ? 0 : 1;
      }
    }
    assertThat(compared).isGreaterThan(24);
    assertThat(changed).isGreaterThan(4);
  }

  private AdapterFiles.Adapter randomAdapter(ModelFiles files) throws IOException {
    List<String> targets =
        List.of("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj");
    LoraConfig lora = new LoraConfig(4, 6, 0, targets);
    try (CpuKernels kernels = new CpuKernels(1);
        Parameters parameters =
            Weights.open(
                files.config(),
                kernels,
                files.weights(),
                Trainable.LORA,
                Optional.of(lora),
                FrozenForm.FLOAT32,
                1)) {
      for (Slot slot : parameters.trainable().slots()) {
        float[] values = new float[(int) slot.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = 0.6f * (CounterRandom.uniform(slot.name().hashCode(), i) - 0.5f);
        }
        parameters.get(slot.name()).write(values);
      }
      AdapterConfig config =
          new AdapterConfig(4, 6, 0, targets, false, List.of(), "CAUSAL_LM", "base");
      Path directory = temp.resolve("adapter");
      AdapterFiles.write(directory, config, Weights.adapterSource(parameters));
      AdapterFiles.Adapter adapter = AdapterFiles.read(directory);
      Weights.loadAdapter(parameters, adapter.weights());
      return adapter;
    }
  }

  private static void writeRandom(Path file, Tokenizer tokenizer) throws IOException {
    ModelConfig config =
        ModelConfig.llama()
            .vocabSize(tokenizer.vocabSize())
            .hiddenSize(64)
            .intermediateSize(96)
            .layers(2)
            .heads(4)
            .kvHeads(2)
            .maxPositions(512)
            .attentionBias(true)
            .mlpBias(true)
            .ropeScaling(Optional.of(new RopeScaling.Llama3(4, 1, 4, 64)))
            .initializerRange(0.2)
            .build();
    try (CpuKernels kernels = new CpuKernels(1);
        Parameters parameters =
            Parameters.allocate(kernels, DecoderLayout.slots(config), slot -> false)) {
      Weights.initialise(parameters.frozen(), config, 6);
      for (Slot slot : parameters.slots()) {
        if (slot.name().endsWith(".bias")) {
          Tensor bias = parameters.get(slot.name());
          float[] values = new float[(int) bias.size()];
          for (int i = 0; i < values.length; i++) {
            values[i] = CounterRandom.uniform(slot.rows(), i) - 0.5f;
          }
          bias.write(values);
        }
      }
      Tensor head = parameters.get(ModelTensors.LM_HEAD);
      for (int id = 0; id < config.vocabSize(); id++) {
        String text = tokenizer.has(id) ? tokenizer.decode(new int[] {id}, true) : "";
        if (id < 3 || text.isBlank() || text.contains("\uFFFD")) {
          // Never the most likely: marks end a text, and lone bytes are no text to compare.
          kernels.fill(head.rows(id, 1), 0);
        }
      }
      SpecialTokens tokens =
          new SpecialTokens(OptionalInt.empty(), List.of(2), OptionalInt.empty());
      GgufWriter.write(
          file,
          config,
          tokens,
          TokenizerWriter.ggufMetadata(tokenizer, config.vocabSize(), Optional.empty()),
          Weights.source(parameters, ModelTensors.of(config)),
          TensorType.F32);
    }
  }

  /** llama.cpp rounds activations to the type of the weights: to nothing, to 16 bits, to 8 bits. */
  @ParameterizedTest
  @CsvSource({"F32, 0.02, 6", "F16, 0.02, 6", "Q8_0, 0.5, 3", "Q5_1, 0.5, 3", "Q4_0, 0.5, 1"})
  void llamaCppWritesWhatSmolLm2Writes(TensorType type, double tolerance, int least)
      throws IOException {
    Optional<Path> fetched = FetchedModel.path();
    assumeTrue(fetched.isPresent(), "submit/fetch-model cannot bring the model here");
    Path file = temp.resolve(type + ".gguf");
    Tokenizer tokenizer;
    try (ModelFiles model = ModelFiles.open(fetched.orElseThrow())) {
      tokenizer = Tokenizers.of(model);
      GgufWriter.write(
          file,
          model.config(),
          model.specialTokens(),
          TokenizerWriter.ggufMetadata(tokenizer, model.config().vocabSize(), Optional.empty()),
          model.weights(),
          type);
    }
    LlamaCpp oracle = new LlamaCpp(file);
    try (LoadedStudent student = new LoadedStudent(file, tokenizer, true)) {
      List<int[]> prompts = PROMPTS.stream().map(tokenizer::encode).toList();
      List<Generator.Reply> own =
          student.greedy(prompts, 12, student.files().specialTokens().stop());
      int same = 0;
      for (int p = 0; p < prompts.size(); p++) {
        String reply = oracle.greedy(PROMPTS.get(p), 12);
        double gap = student.worstGap(prompts.get(p), reply);
        assertThat(gap).as(PROMPTS.get(p)).isLessThanOrEqualTo(tolerance);
        same += reply.equals(own.get(p).text()) ? 1 : 0;
      }
      assertThat(same).isGreaterThanOrEqualTo(least);
    }
  }
}
