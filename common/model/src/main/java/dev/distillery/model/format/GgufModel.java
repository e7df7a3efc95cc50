package dev.distillery.model.format;

import dev.distillery.core.format.GgufMetadata;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a GGUF file means: its metadata as a {@link ModelConfig}, its tensors under Hugging Face's
 * names. For some families llama.cpp rotates neighbouring pairs where Hugging Face rotates halves,
 * so its files hold the rows of the query and key projections in another order, and Gemma's have
 * added 1 to the weights of norms; reading undoes both ({@link GgufFamily}).
 */
final class GgufModel {
  /** Frequency divisors of LLaMA-3's rotary scaling; the metadata does not hold its parameters. */
  static final String ROPE_FACTORS = "rope_freqs.weight";

  /** Keys, after the family's name, that are read or change no result. */
  private static final Set<String> KNOWN =
      Set.of(
          "vocab_size",
          "context_length",
          "embedding_length",
          "feed_forward_length",
          "block_count",
          "attention.head_count",
          "attention.head_count_kv",
          "attention.key_length",
          "attention.value_length",
          "attention.layer_norm_rms_epsilon",
          "attention.layer_norm_epsilon",
          "attention.sliding_window",
          "attention.sliding_window_pattern",
          "attention.scale",
          "embedding_scale",
          "residual_scale",
          "logit_scale",
          "rope.dimension_count",
          "rope.freq_base",
          "rope.freq_base_swa",
          "rope.scaling.type",
          "rope.scaling.factor",
          "rope.scaling.original_context_length",
          "rope.scaling.finetuned",
          "rope.scaling.attn_factor",
          "rope.scaling.yarn_beta_fast",
          "rope.scaling.yarn_beta_slow",
          "rope.scale_linear",
          "expert_count",
          "expert_used_count");

  private final MappedFile file;
  private final GgufMetadata metadata;
  private final Map<String, GgufTensors.Entry> entries;
  private final GgufFamily family;

  private GgufModel(MappedFile file, GgufMetadata metadata, Map<String, GgufTensors.Entry> entries)
      throws ModelFileException {
    this.file = file;
    this.metadata = metadata;
    this.entries = entries;
    this.family =
        GgufFamily.of(metadata.text("general.architecture"))
            .orElseThrow(
                () ->
                    metadata.wrong("general.architecture", String.join(", ", GgufFamily.names())));
  }

  static ModelFiles bind(
      MappedFile file, GgufMetadata metadata, Map<String, GgufTensors.Entry> entries)
      throws ModelFileException {
    return new GgufModel(file, metadata, entries).bind();
  }

  private ModelFiles bind() throws ModelFileException {
    ModelConfig config = config();
    MappedWeights weights = new MappedWeights(List.of(file));
    Map<String, GgufTensors.Entry> left = new HashMap<>(entries);
    left.remove(ROPE_FACTORS);
    Map<String, String> names = family.tensorNames(config);
    for (TensorSpec spec : ModelTensors.of(config)) {
      String name = Objects.requireNonNull(names.get(spec.name()));
      GgufTensors.Entry entry = left.remove(name);
      if (entry == null) {
        throw new ModelFileException(file.path(), "it has no tensor " + name);
      }
      if (!entry.shape().equals(spec.shape())) {
        throw new ModelFileException(
            file.path(),
            "tensor "
                + name
                + " has shape "
                + entry.shape()
                + ", but the metadata call for "
                + spec.shape());
      }
      if (spec.shape().size() == 1 && entry.type().quantised()) {
        throw new ModelFileException(
            file.path(), "tensor " + name + " is a vector of type " + entry.type());
      }
      weights.add(
          new WeightSource.Weight(spec, entry.type()),
          new MappedWeights.Place(
              file,
              entry.offset(),
              family.pairedHeads(config, spec.name()),
              family.added(spec.name())));
    }
    if (!left.isEmpty()) {
      throw new ModelFileException(
          file.path(),
          "the "
              + family.ggufName()
              + " architecture has no place for its tensor "
              + HuggingFaceReader.some(left.keySet().stream().sorted().toList()));
    }
    return new ModelFiles(
        file.path(), config, specialTokens(metadata, config), weights, Optional.of(metadata));
  }

  private String key(String name) {
    return family.ggufName() + "." + name;
  }

  private ModelConfig config() throws ModelFileException {
    for (String key : metadata.keys()) {
      if (key.startsWith(key("")) && !KNOWN.contains(key.substring(key("").length()))) {
        throw metadata.wrong(key, "absent: it is not known what it does");
      }
    }
    if (metadata.integer(key("expert_count"), 0) != 0) {
      throw metadata.wrong(key("expert_count"), "0: mixtures of experts are not read");
    }
    GgufTensors.Entry embedding = entries.get("token_embd.weight");
    if (embedding == null || embedding.shape().size() != 2) {
      throw new ModelFileException(file.path(), "it has no matrix token_embd.weight");
    }
    int heads = metadata.integer(key("attention.head_count"));
    int width = metadata.integer(key("embedding_length"));
    int headDim = metadata.integer(key("attention.key_length"), heads > 0 ? width / heads : width);
    if (metadata.integer(key("rope.dimension_count"), headDim) != headDim) {
      throw metadata.wrong(key("rope.dimension_count"), "the head's width, " + headDim);
    }
    if (metadata.integer(key("attention.value_length"), headDim) != headDim) {
      throw metadata.wrong(key("attention.value_length"), "the key's, " + headDim);
    }
    int layers = metadata.integer(key("block_count"));
    try {
      ModelConfigBuilder builder =
          ModelConfig.of(architecture())
              .vocabSize(embedding.shape().get(0))
              .hiddenSize(width)
              .intermediateSize(metadata.integer(key("feed_forward_length")))
              .layers(layers)
              .heads(heads)
              .kvHeads(metadata.integer(key("attention.head_count_kv"), heads))
              .headDim(headDim)
              .maxPositions(metadata.integer(key("context_length")))
              // The file's float32 of 0.00001 is meant as 1e-5.
              .normEps(decimal(metadata.number(key("attention.layer_norm_rms_epsilon"), 1e-5)))
              .ropeTheta(theta())
              .ropeScaling(ropeScaling(headDim))
              .tieEmbeddings(!entries.containsKey("output.weight"))
              .attentionBias(entries.containsKey("blk.0.attn_q.bias"))
              .mlpBias(entries.containsKey("blk.0.ffn_up.bias"));
      layers(builder, layers);
      scales(builder);
      ModelConfig config = builder.build();
      return family == GgufFamily.GEMMA3
          ? config.toBuilder().attentionScale(family.attentionScale(config)).build()
          : config;
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(file.path(), e.getMessage(), e);
    }
  }

  private double theta() throws ModelFileException {
    return decimal(
        metadata.number(key("rope.freq_base"), family == GgufFamily.GEMMA3 ? 1_000_000 : 10_000));
  }

  /** llama.cpp's name for LLaMA is Mistral's too, which has a window. */
  private Architecture architecture() {
    return family == GgufFamily.LLAMA && metadata.has(key("attention.sliding_window"))
        ? Architecture.MISTRAL
        : family.architecture();
  }

  private void layers(ModelConfigBuilder builder, int layers) throws ModelFileException {
    String windowKey = key("attention.sliding_window");
    int context = metadata.integer(key("context_length"));
    int window = Math.min(context, metadata.integer(windowKey, 0));
    int pattern =
        metadata.integer(key("attention.sliding_window_pattern"), GgufFamily.GEMMA3_PATTERN);
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 0; i < layers && i < ModelConfig.MAX_LAYERS; i++) {
      switch (family) {
        case GEMMA3 -> kinds.add(LayerKind.of((i + 1) % Math.max(1, pattern) != 0, true));
        case SMOLLM3 -> kinds.add(LayerKind.of(false, (i + 1) % GgufFamily.SMOLLM3_INTERVAL != 0));
        case LLAMA, QWEN2, QWEN3, GRANITE, OLMO2, PHI3 -> {}
      }
    }
    builder.layerKinds(kinds);
    switch (family) {
      case GEMMA3 -> {
        if (window < 1) {
          throw metadata.wrong(windowKey, "the window of local layers");
        }
        builder
            .window(kinds.contains(LayerKind.LOCAL) ? window : 0)
            .localRopeTheta(decimal(metadata.number(key("rope.freq_base_swa"), 10_000)));
      }
      case LLAMA -> builder.window(window);
      case QWEN2, QWEN3, SMOLLM3, GRANITE, OLMO2, PHI3 -> {
        // Which layers it is of is not in the file.
        if (window > 0 && window < context) {
          throw metadata.wrong(windowKey, "absent, or the whole context of " + context);
        }
      }
    }
  }

  private void scales(ModelConfigBuilder builder) throws ModelFileException {
    if (family == GgufFamily.GRANITE) {
      builder
          .embeddingScale(decimal(metadata.number(key("embedding_scale"), 1)))
          .attentionScale(decimal(metadata.number(key("attention.scale"), 0)))
          .residualScale(decimal(metadata.number(key("residual_scale"), 1)))
          .logitScale(1 / decimal(metadata.number(key("logit_scale"), 1)));
      return;
    }
    for (String scale :
        List.of("embedding_scale", "attention.scale", "residual_scale", "logit_scale")) {
      if (metadata.has(key(scale))) {
        throw metadata.wrong(key(scale), "absent: only granite has it");
      }
    }
  }

  /** The shortest decimal that a float32 stands for. */
  private static double decimal(double value) {
    return Double.parseDouble(Float.toString((float) value));
  }

  /**
   * LLaMA-3's scaling from the divisors that llama.cpp stores instead of its parameters: the last
   * divisor is the factor; the published models have 1, 4 and 8192 for the rest. Other divisors are
   * refused, since they could not be written back.
   */
  private Optional<RopeScaling> ropeScaling(int headDim) throws ModelFileException {
    // As llama.cpp: a factor without a type is linear, and 0 is none; the older key counts last.
    String type = metadata.text(key("rope.scaling.type"), "linear");
    double factor =
        metadata.has(key("rope.scaling.factor"))
            ? metadata.number(key("rope.scaling.factor"), 0)
            : metadata.number(key("rope.scale_linear"), 0);
    boolean stretched = factor != 0 && factor != 1;
    Optional<RopeScaling> named =
        switch (type) {
          case "none" -> Optional.empty();
          case "linear" ->
              stretched ? Optional.of(new RopeScaling.Linear(decimal(factor))) : Optional.empty();
          case "yarn" -> stretched ? Optional.of(yarn(decimal(factor))) : Optional.empty();
          default ->
              throw metadata.wrong(
                  key("rope.scaling.type"), "none, linear or yarn: others are not computed");
        };
    boolean yarn = named.isPresent() && named.get() instanceof RopeScaling.Yarn;
    if (!yarn && metadata.number(key("rope.scaling.attn_factor"), 1) != 1) {
      throw metadata.wrong(key("rope.scaling.attn_factor"), "1 without YaRN");
    }
    GgufTensors.@Nullable Entry divisors = entries.get(ROPE_FACTORS);
    if (divisors == null) {
      return named;
    }
    if (named.isPresent()) {
      throw new ModelFileException(
          file.path(),
          "it has the tensor %s and a %s factor of %s too, which is not computed"
              .formatted(ROPE_FACTORS, type, factor));
    }
    if (divisors.type() != TensorType.F32 || !divisors.shape().equals(List.of(headDim / 2))) {
      throw new ModelFileException(
          file.path(),
          "tensor "
              + ROPE_FACTORS
              + " should be "
              + headDim / 2
              + " values of F32, but is "
              + divisors.shape()
              + " of "
              + divisors.type());
    }
    float[] values = new float[headDim / 2];
    file.slice(divisors.offset(), 4 * values.length).asFloatBuffer().get(values);
    double theta = theta();
    RopeScaling scaling =
        new RopeScaling.Llama3(
            values[values.length - 1],
            1,
            4,
            metadata.integer(key("rope.scaling.original_context_length"), 8192));
    float[] expected = ropeDivisors(scaling, theta, headDim);
    for (int i = 0; i < values.length; i++) {
      if (!(Math.abs(values[i] - expected[i]) <= 1e-4 * expected[i])) {
        throw new ModelFileException(
            file.path(),
            "tensor "
                + ROPE_FACTORS
                + " has "
                + values[i]
                + " at "
                + i
                + ", where LLaMA-3's scaling by "
                + scaling.factor()
                + " has "
                + expected[i]);
      }
    }
    return Optional.of(scaling);
  }

  /** llama.cpp's attn_factor is beside the paper's own, which it does not hold. */
  private RopeScaling yarn(double factor) throws ModelFileException {
    return new RopeScaling.Yarn(
        factor,
        metadata.integer(
            key("rope.scaling.original_context_length"), metadata.integer(key("context_length"))),
        decimal(metadata.number(key("rope.scaling.yarn_beta_fast"), RopeScaling.Yarn.BETA_FAST)),
        decimal(metadata.number(key("rope.scaling.yarn_beta_slow"), RopeScaling.Yarn.BETA_SLOW)),
        RopeScaling.Yarn.attentionFactor(factor, 1)
            * decimal(metadata.number(key("rope.scaling.attn_factor"), 1)),
        true);
  }

  /** What each rotary frequency is divided by. */
  static float[] ropeDivisors(RopeScaling scaling, double theta, int headDim) {
    float[] divisors = new float[headDim / 2];
    double[] unscaled = RopeScaling.unscaled(theta, headDim);
    double[] scaled = scaling.frequencies(theta, headDim);
    for (int i = 0; i < divisors.length; i++) {
      divisors[i] = (float) (unscaled[i] / scaled[i]);
    }
    return divisors;
  }

  private static SpecialTokens specialTokens(GgufMetadata metadata, ModelConfig config)
      throws ModelFileException {
    OptionalInt bos = id(metadata, "tokenizer.ggml.bos_token_id", config);
    List<Integer> stop = new ArrayList<>();
    id(metadata, "tokenizer.ggml.eos_token_id", config).ifPresent(stop::add);
    id(metadata, "tokenizer.ggml.eot_token_id", config)
        .ifPresent(
            eot -> {
              if (!stop.contains(eot)) {
                stop.add(eot);
              }
            });
    return new SpecialTokens(bos, stop, id(metadata, "tokenizer.ggml.padding_token_id", config));
  }

  private static OptionalInt id(GgufMetadata metadata, String key, ModelConfig config)
      throws ModelFileException {
    if (!metadata.has(key)) {
      return OptionalInt.empty();
    }
    int id = metadata.integer(key);
    if (id < 0 || id >= config.vocabSize()) {
      throw metadata.wrong(key, "a token id under " + config.vocabSize());
    }
    return OptionalInt.of(id);
  }
}
