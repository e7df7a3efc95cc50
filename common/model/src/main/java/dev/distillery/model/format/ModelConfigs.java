package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * Published configurations by name.
 *
 * <p>Sources: LLaMA, table 2 of arXiv 2302.13971; GPT-2, table 2 of Radford et al. 2019, with the
 * head counts of the released checkpoints; GPT-3, table 2.1 of arXiv 2005.14165; stories,
 * llama2.c's TinyStories models; GPT-1, Radford et al. 2018; the others, the config.json of the
 * released checkpoints. Two rows of the GPT-3 table do not divide into heads as printed (1.3B: 24
 * heads of 128 in a width of 2048; 13B: 40 heads of 128 in 5140); here they have 16 heads, and a
 * width of 5120. All of GPT-3 attends densely here, where the paper's models alternate dense and
 * banded layers.
 */
public final class ModelConfigs {
  private static final Map<String, ModelConfig> BY_NAME = new LinkedHashMap<>();

  static {
    UnaryOperator<ModelConfigBuilder> llama1 = b -> b.normEps(1e-6);
    add("llama-7b", llama1.apply(llama(4096, 11_008, 32, 32)));
    add("llama-13b", llama1.apply(llama(5120, 13_824, 40, 40)));
    add("llama-30b", llama1.apply(llama(6656, 17_920, 60, 52)));
    add("llama-65b", llama1.apply(llama(8192, 22_016, 80, 64)));

    add(
        "gpt1",
        ModelConfig.of(Architecture.GPT1)
            .hiddenSize(768)
            .layers(12)
            .heads(12)
            .vocabSize(40_478)
            .maxPositions(512));
    add("gpt2", gpt(768, 12, 12));
    add("gpt2-medium", gpt(1024, 24, 16));
    add("gpt2-large", gpt(1280, 36, 20));
    add("gpt2-xl", gpt(1600, 48, 25));

    UnaryOperator<ModelConfigBuilder> gpt3 = b -> b.maxPositions(2048);
    add("gpt3-small", gpt3.apply(gpt(768, 12, 12)));
    add("gpt3-125m", gpt3.apply(gpt(768, 12, 12)));
    add("gpt3-350m", gpt3.apply(gpt(1024, 24, 16)));
    add("gpt3-760m", gpt3.apply(gpt(1536, 24, 16)));
    add("gpt3-1.3b", gpt3.apply(gpt(2048, 24, 16)));
    add("gpt3-2.7b", gpt3.apply(gpt(2560, 32, 32)));
    add("gpt3-6.7b", gpt3.apply(gpt(4096, 32, 32)));
    add("gpt3-13b", gpt3.apply(gpt(5120, 40, 40)));
    add("gpt3-175b", gpt3.apply(gpt(12_288, 96, 96)));

    UnaryOperator<ModelConfigBuilder> smollm2 =
        b -> b.vocabSize(49_152).maxPositions(8192).tieEmbeddings(true);
    add(
        "smollm2-135m",
        smollm2
            .apply(llama(576, 1536, 30, 9).kvHeads(3))
            .ropeTheta(100_000)
            .initializerRange(1 / Math.sqrt(576)));
    add("smollm2-360m", smollm2.apply(llama(960, 2560, 32, 15).kvHeads(5)).ropeTheta(100_000));
    add("smollm2-1.7b", smollm2.apply(llama(2048, 8192, 24, 32)).ropeTheta(130_000));

    add(
        "smollm3-3b",
        sized(Architecture.SMOLLM3, 2048, 11_008, 36, 16)
            .kvHeads(4)
            .vocabSize(128_256)
            .maxPositions(65_536)
            .normEps(1e-6)
            .ropeTheta(5_000_000)
            .tieEmbeddings(true)
            .layerKinds(kinds(36, i -> LayerKind.of(false, i % 4 != 3))));

    add(
        "qwen2.5-0.5b",
        sized(Architecture.QWEN2, 896, 4864, 24, 14)
            .kvHeads(2)
            .vocabSize(151_936)
            .maxPositions(32_768)
            .normEps(1e-6)
            .ropeTheta(1_000_000)
            .tieEmbeddings(true));
    add(
        "qwen3-0.6b",
        sized(Architecture.QWEN3, 1024, 3072, 28, 16)
            .kvHeads(8)
            .headDim(128)
            .vocabSize(151_936)
            .maxPositions(40_960)
            .normEps(1e-6)
            .ropeTheta(1_000_000)
            .tieEmbeddings(true));
    add(
        "mistral-7b",
        sized(Architecture.MISTRAL, 4096, 14_336, 32, 32)
            .kvHeads(8)
            .maxPositions(32_768)
            .window(4096));
    add(
        "gemma3-270m",
        sized(Architecture.GEMMA3, 640, 2048, 18, 4)
            .kvHeads(1)
            .headDim(256)
            .vocabSize(262_144)
            .maxPositions(32_768)
            .normEps(1e-6)
            .ropeTheta(1_000_000)
            .localRopeTheta(10_000)
            .window(512)
            .layerKinds(kinds(18, i -> LayerKind.of(i % 6 != 5, true)))
            .tieEmbeddings(true));

    add("tinyllama-1.1b", llama(2048, 5632, 22, 32).kvHeads(4));

    UnaryOperator<ModelConfigBuilder> stories = b -> b.tieEmbeddings(true);
    add(
        "stories-260k",
        stories.apply(llama(64, 172, 5, 8)).kvHeads(4).vocabSize(512).maxPositions(512));
    add("stories-15m", stories.apply(llama(288, 768, 6, 6)).maxPositions(256));
    add("stories-42m", stories.apply(llama(512, 1376, 8, 8)).maxPositions(1024));
  }

  private ModelConfigs() {}

  /**
   * The configuration of this name.
   *
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static ModelConfig named(String name) {
    ModelConfig config = BY_NAME.get(name);
    if (config == null) {
      throw new IllegalArgumentException(
          "No model configuration is called " + name + "; there are " + String.join(", ", names()));
    }
    return config;
  }

  /**
   * The configuration of a config.json.
   *
   * @throws ModelFileException if something in it is wrong
   */
  public static ModelConfig read(Path file) throws IOException {
    return HuggingFaceConfig.read(ModelJson.read(file));
  }

  /** All names, families together, small to large. */
  public static List<String> names() {
    return Collections.unmodifiableList(new ArrayList<>(BY_NAME.keySet()));
  }

  private static void add(String name, ModelConfigBuilder builder) {
    BY_NAME.put(name, builder.build());
  }

  private static List<LayerKind> kinds(int layers, IntFunction<LayerKind> kind) {
    return IntStream.range(0, layers).mapToObj(kind).toList();
  }

  private static ModelConfigBuilder llama(int width, int inner, int layers, int heads) {
    return sized(Architecture.LLAMA, width, inner, layers, heads);
  }

  private static ModelConfigBuilder sized(
      Architecture architecture, int width, int inner, int layers, int heads) {
    return ModelConfig.of(architecture)
        .hiddenSize(width)
        .intermediateSize(inner)
        .layers(layers)
        .heads(heads);
  }

  private static ModelConfigBuilder gpt(int width, int layers, int heads) {
    return ModelConfig.gpt2().hiddenSize(width).layers(layers).heads(heads);
  }
}
