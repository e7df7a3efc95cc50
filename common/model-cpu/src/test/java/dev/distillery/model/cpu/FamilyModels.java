package dev.distillery.model.cpu;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.AdapterConfig;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.Architecture;
import dev.distillery.model.format.ArrayWeights;
import dev.distillery.model.format.LayerKind;
import dev.distillery.model.format.LayerShape.NormKind;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelConfigBuilder;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.RopeScaling;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorSpec;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.LoraConfig;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** A small random model of each family, with what sets the family apart. */
final class FamilyModels {
  /** Of all contexts; windows are of {@link #WINDOW}. */
  static final int CONTEXT = 512;

  private static final int WINDOW = 16;

  private FamilyModels() {}

  /** Those that a GGUF file can hold. */
  static Map<String, ModelConfig> sayable(int vocabulary) {
    RopeScaling yarn = new RopeScaling.Yarn(4, 64, 32, 1, 0.1 * Math.log(4) + 1, true);
    Map<String, ModelConfig> models = new TreeMap<>();
    models.put("qwen2", small(Architecture.QWEN2, vocabulary).attentionBias(true).build());
    models.put(
        "qwen2-yarn",
        small(Architecture.QWEN2, vocabulary)
            .attentionBias(true)
            .ropeScaling(Optional.of(yarn))
            .build());
    models.put(
        "llama-yarn",
        small(Architecture.LLAMA, vocabulary)
            .ropeScaling(Optional.of(new RopeScaling.Yarn(8, 48, 16, 2, 1.5, true)))
            .build());
    models.put("qwen3", small(Architecture.QWEN3, vocabulary).headDim(32).build());
    models.put("mistral", small(Architecture.MISTRAL, vocabulary).headDim(32).build());
    models.put("gemma3", gemma(vocabulary).build());
    models.put("gemma3-yarn", gemma(vocabulary).ropeScaling(Optional.of(yarn)).build());
    models.put(
        "smollm3",
        small(Architecture.SMOLLM3, vocabulary)
            .layers(4)
            .layerKinds(
                List.of(LayerKind.FULL, LayerKind.FULL, LayerKind.FULL, LayerKind.FULL_UNROTATED))
            .build());
    models.put(
        "granite",
        small(Architecture.GRANITE, vocabulary)
            .embeddingScale(3)
            .attentionScale(0.2)
            .residualScale(0.4)
            .logitScale(0.4)
            .build());
    models.put("olmo2", small(Architecture.OLMO2, vocabulary).build());
    models.put("phi3", small(Architecture.PHI3, vocabulary).build());
    return models;
  }

  /** All, those with windows that llama.cpp drops among them. */
  static Map<String, ModelConfig> all(int vocabulary) {
    Map<String, ModelConfig> models = new TreeMap<>(sayable(vocabulary));
    models.put("mistral-window", small(Architecture.MISTRAL, vocabulary).window(WINDOW).build());
    models.put("phi3-window", small(Architecture.PHI3, vocabulary).window(WINDOW).build());
    models.put(
        "qwen2-window",
        small(Architecture.QWEN2, vocabulary)
            .attentionBias(true)
            .window(WINDOW)
            .layerKinds(List.of(LayerKind.FULL, LayerKind.FULL, LayerKind.LOCAL))
            .build());
    return models;
  }

  private static ModelConfigBuilder small(Architecture architecture, int vocabulary) {
    return ModelConfig.of(architecture)
        .vocabSize(vocabulary)
        .hiddenSize(64)
        .intermediateSize(96)
        .layers(3)
        .heads(4)
        .kvHeads(2)
        .maxPositions(CONTEXT)
        .normEps(1e-6);
  }

  private static ModelConfigBuilder gemma(int vocabulary) {
    return small(Architecture.GEMMA3, vocabulary)
        .headDim(32)
        .attentionScale(1 / Math.sqrt(24))
        .window(WINDOW)
        .layerKinds(List.of(LayerKind.LOCAL, LayerKind.LOCAL, LayerKind.FULL))
        .ropeTheta(1_000_000)
        .localRopeTheta(10_000)
        .tieEmbeddings(true);
  }

  /** Weights in +-0.25, gains in 1 +- 0.35. */
  static ArrayWeights weights(ModelConfig config) {
    double gain = config.architecture().shape().norm() == NormKind.RMS_PLUS_ONE ? 0 : 1;
    ArrayWeights weights = new ArrayWeights();
    for (TensorSpec spec : ModelTensors.of(config)) {
      boolean norm = spec.name().endsWith("norm.weight");
      float[] values = new float[(int) spec.elements()];
      for (int i = 0; i < values.length; i++) {
        double u = 2 * CounterRandom.uniform(spec.name().hashCode(), i) - 1;
        values[i] = (float) (norm ? gain + 0.35 * u : 0.25 * u);
      }
      weights.put(spec, values);
    }
    return weights;
  }

  static int[] tokens(int seed, int count, int vocabulary) {
    return IntStream.range(0, count)
        .map(i -> (int) (CounterRandom.uniformDouble(seed, i) * vocabulary))
        .toArray();
  }

  /**
   * Writes each model into a directory of its name: as Hugging Face's, with an adapter on all of
   * its linear layers and rows of some tokens in {@code adapter}, and in expected.json what both
   * together make of some tokens. benchmarks/student/families compares this with peft.
   */
  public static void main(String[] args) throws IOException {
    Path directory = Path.of(args[0]);
    for (Map.Entry<String, ModelConfig> model : all(97).entrySet()) {
      Path files = directory.resolve(model.getKey());
      ModelConfig config = model.getValue();
      WeightSource weights = weights(config);
      ModelWriter.write(files, config, SpecialTokens.none(), weights, TensorType.F32);
      int[] ids = tokens(5, 70, config.vocabSize());
      float[][] logits = adapted(config, weights, files.resolve("adapter"), ids);
      new ObjectMapper()
          .writeValue(
              files.resolve("expected.json").toFile(), Map.of("ids", ids, "logits", logits));
    }
  }

  private static float[][] adapted(
      ModelConfig config, WeightSource weights, Path adapter, int[] ids) throws IOException {
    List<String> targets = config.architecture().names().linears();
    List<Integer> tokens = IntStream.of(ids).limit(5).distinct().sorted().boxed().toList();
    Optional<LoraConfig> lora = Optional.of(new LoraConfig(4, 6, 0, targets, tokens));
    try (CpuKernels kernels = new CpuKernels(1);
        Parameters parameters =
            Weights.open(config, kernels, weights, Trainable.LORA, lora, FrozenForm.FLOAT32, 1);
        Decoder decoder = new Decoder(config, kernels, parameters, lora, false)) {
      for (Slot slot : parameters.trainable().slots()) {
        float[] values = new float[(int) slot.size()];
        for (int i = 0; i < values.length; i++) {
          values[i] = 0.4f * (CounterRandom.uniform(slot.name().hashCode(), i) - 0.5f);
        }
        parameters.get(slot.name()).write(values);
      }
      AdapterFiles.write(
          adapter,
          new AdapterConfig(4, 6, 0, targets, false, List.of(), "CAUSAL_LM", "base")
              .with(
                  DecoderLayout.tokenModules(config).stream()
                      .collect(Collectors.toMap(module -> module, module -> tokens))),
          Weights.adapterSource(parameters));
      Tensor logits = kernels.tensor(ids.length, config.vocabSize());
      decoder.logits(logits, decoder.forward(Batch.of(List.of(ids)), Dropout.NONE));
      float[][] rows = new float[ids.length][];
      for (int i = 0; i < ids.length; i++) {
        rows[i] = logits.rows(i, 1).toArray();
      }
      logits.memory().close();
      return rows;
    }
  }
}
