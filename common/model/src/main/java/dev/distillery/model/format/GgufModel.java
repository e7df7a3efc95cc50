package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a GGUF file of llama.cpp's {@code llama} architecture means: its metadata as a {@link
 * ModelConfig}, its tensors under Hugging Face's names. llama.cpp rotates neighbouring pairs where
 * Hugging Face rotates halves, so its files hold the rows of the query and key projections in
 * another order; reading undoes that.
 */
final class GgufModel {
  /** Frequency divisors of LLaMA-3's rotary scaling; the metadata does not hold its parameters. */
  static final String ROPE_FACTORS = "rope_freqs.weight";

  private static final Map<String, String> LAYER_NAMES =
      Map.of(
          "attn_norm", "input_layernorm",
          "attn_q", "self_attn.q_proj",
          "attn_k", "self_attn.k_proj",
          "attn_v", "self_attn.v_proj",
          "attn_output", "self_attn.o_proj",
          "ffn_norm", "post_attention_layernorm",
          "ffn_gate", "mlp.gate_proj",
          "ffn_up", "mlp.up_proj",
          "ffn_down", "mlp.down_proj");
  private static final Map<String, String> LAYER_NAMES_BACK = new HashMap<>();
  private static final Pattern HF_LAYER =
      Pattern.compile("model\\.layers\\.(\\d+)\\.(.+)\\.(weight|bias)");

  static {
    LAYER_NAMES.forEach((gguf, hf) -> LAYER_NAMES_BACK.put(hf, gguf));
  }

  private GgufModel() {}

  /** The name that llama.cpp has for one of Hugging Face's LLaMA tensors. */
  static String ggufName(String name) {
    return switch (name) {
      case ModelTensors.EMBEDDING -> "token_embd.weight";
      case "model.norm.weight" -> "output_norm.weight";
      case ModelTensors.LM_HEAD -> "output.weight";
      default -> {
        Matcher layer = HF_LAYER.matcher(name);
        if (!layer.matches() || !LAYER_NAMES_BACK.containsKey(layer.group(2))) {
          throw new IllegalArgumentException("GGUF has no name for tensor " + name);
        }
        String part = LAYER_NAMES_BACK.get(layer.group(2));
        yield "blk." + layer.group(1) + "." + part + "." + layer.group(3);
      }
    };
  }

  /** How many heads' rows stand in rotary pairs in the tensor of this Hugging Face name. */
  static int pairedHeads(ModelConfig config, String name) {
    if (name.contains(".self_attn.q_proj.")) {
      return config.heads();
    }
    return name.contains(".self_attn.k_proj.") ? config.kvHeads() : 0;
  }

  static ModelFiles bind(
      MappedFile file, GgufMetadata metadata, Map<String, GgufReader.Entry> entries)
      throws ModelFileException {
    ModelConfig config = config(file, metadata, entries);
    MappedWeights weights = new MappedWeights(List.of(file));
    Map<String, GgufReader.Entry> left = new HashMap<>(entries);
    left.remove(ROPE_FACTORS);
    for (TensorSpec spec : ModelTensors.of(config)) {
      String name = ggufName(spec.name());
      GgufReader.Entry entry = left.remove(name);
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
          new MappedWeights.Place(file, entry.offset(), pairedHeads(config, spec.name())));
    }
    if (!left.isEmpty()) {
      throw new ModelFileException(
          file.path(),
          "the llama architecture has no place for its tensor "
              + HuggingFaceReader.some(left.keySet().stream().sorted().toList()));
    }
    return new ModelFiles(
        file.path(), config, specialTokens(metadata, config), weights, Optional.of(metadata));
  }

  private static ModelConfig config(
      MappedFile file, GgufMetadata metadata, Map<String, GgufReader.Entry> entries)
      throws ModelFileException {
    if (!metadata.text("general.architecture").equals("llama")) {
      throw metadata.wrong("general.architecture", "llama");
    }
    if (metadata.integer("llama.expert_count", 0) != 0) {
      throw metadata.wrong("llama.expert_count", "0: mixtures of experts are not read");
    }
    GgufReader.Entry embedding = entries.get("token_embd.weight");
    if (embedding == null || embedding.shape().size() != 2) {
      throw new ModelFileException(file.path(), "it has no matrix token_embd.weight");
    }
    int heads = metadata.integer("llama.attention.head_count");
    int width = metadata.integer("llama.embedding_length");
    int headDim = metadata.integer("llama.attention.key_length", heads > 0 ? width / heads : width);
    if (metadata.integer("llama.rope.dimension_count", headDim) != headDim) {
      throw metadata.wrong("llama.rope.dimension_count", "the head's width, " + headDim);
    }
    if (metadata.integer("llama.attention.value_length", headDim) != headDim) {
      throw metadata.wrong("llama.attention.value_length", "the key's, " + headDim);
    }
    try {
      return ModelConfig.llama()
          .vocabSize(embedding.shape().get(0))
          .hiddenSize(width)
          .intermediateSize(metadata.integer("llama.feed_forward_length"))
          .layers(metadata.integer("llama.block_count"))
          .heads(heads)
          .kvHeads(metadata.integer("llama.attention.head_count_kv", heads))
          .headDim(headDim)
          .maxPositions(metadata.integer("llama.context_length"))
          // The file's float32 of 0.00001 is meant as 1e-5.
          .normEps(decimal(metadata.number("llama.attention.layer_norm_rms_epsilon", 1e-5)))
          .ropeTheta(decimal(metadata.number("llama.rope.freq_base", 10_000)))
          .ropeScaling(ropeScaling(file, metadata, entries.get(ROPE_FACTORS), headDim))
          .tieEmbeddings(!entries.containsKey("output.weight"))
          .attentionBias(entries.containsKey("blk.0.attn_q.bias"))
          .mlpBias(entries.containsKey("blk.0.ffn_up.bias"))
          .build();
    } catch (IllegalArgumentException e) {
      throw new ModelFileException(file.path(), e.getMessage(), e);
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
  private static Optional<RopeScaling> ropeScaling(
      MappedFile file, GgufMetadata metadata, GgufReader.@Nullable Entry divisors, int headDim)
      throws ModelFileException {
    String type = metadata.text("llama.rope.scaling.type", "none");
    if (!type.equals("none")) {
      throw metadata.wrong("llama.rope.scaling.type", "none");
    }
    if (divisors == null) {
      return Optional.empty();
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
    double theta = decimal(metadata.number("llama.rope.freq_base", 10_000));
    RopeScaling scaling =
        new RopeScaling(
            values[values.length - 1],
            1,
            4,
            metadata.integer("llama.rope.scaling.original_context_length", 8192));
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

  /** What each rotary frequency is divided by. */
  static float[] ropeDivisors(RopeScaling scaling, double theta, int headDim) {
    float[] divisors = new float[headDim / 2];
    for (int i = 0; i < divisors.length; i++) {
      double frequency = Math.pow(theta, -2.0 * i / headDim);
      divisors[i] = (float) (frequency / scaling.scale(frequency));
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
