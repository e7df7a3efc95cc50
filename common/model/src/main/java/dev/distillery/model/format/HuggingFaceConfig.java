package dev.distillery.model.format;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * config.json to and from {@link ModelConfig}. Reads both spellings: transformers 5 puts theta and
 * scaling in {@code rope_parameters}, older files have {@code rope_theta} and {@code rope_scaling}
 * on top. Writes the older one, which every version reads.
 */
final class HuggingFaceConfig {
  private static final String SCORE_BIAS = "distillery_score_bias";

  private HuggingFaceConfig() {}

  static ModelConfig read(ModelJson json) throws ModelFileException {
    Architecture architecture = architecture(json);
    if (json.has("quantization_config")) {
      throw json.wrong("quantization_config", "absent: quantised weights are read from GGUF only");
    }
    ModelConfigBuilder builder =
        switch (architecture) {
          case LLAMA -> llama(json);
          case GPT2 -> gpt2(json);
        };
    builder
        .initializerRange(json.number("initializer_range", 0.02))
        .labels(labels(json))
        .scoreBias(json.number(SCORE_BIAS, 0));
    try {
      return builder.build();
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private static Architecture architecture(ModelJson json) throws ModelFileException {
    String type = json.text("model_type");
    return Arrays.stream(Architecture.values())
        .filter(a -> a.modelType().equals(type))
        .findFirst()
        .orElseThrow(() -> json.wrong("model_type", "llama or gpt2"));
  }

  private static ModelConfigBuilder llama(ModelJson json) throws ModelFileException {
    int heads = json.integer("num_attention_heads");
    int width = json.integer("hidden_size");
    return ModelConfig.llama()
        .vocabSize(json.integer("vocab_size"))
        .hiddenSize(width)
        .intermediateSize(json.integer("intermediate_size"))
        .layers(json.integer("num_hidden_layers"))
        .heads(heads)
        .kvHeads(json.integer("num_key_value_heads", heads))
        .headDim(json.integer("head_dim", heads > 0 ? width / heads : 0))
        .maxPositions(json.integer("max_position_embeddings", 2048))
        .normEps(json.number("rms_norm_eps", 1e-6))
        .ropeTheta(ropeTheta(json))
        .ropeScaling(ropeScaling(json))
        .tieEmbeddings(json.bool("tie_word_embeddings", false))
        .attentionBias(json.bool("attention_bias", false))
        .mlpBias(json.bool("mlp_bias", false))
        .activation(activation(json, "hidden_act", Activation.SILU));
  }

  private static double ropeTheta(ModelJson json) throws ModelFileException {
    OptionalDouble old = json.optionalNumber("rope_theta");
    Optional<ModelJson> parameters = json.object("rope_parameters");
    if (parameters.isEmpty() || !parameters.get().has("rope_theta")) {
      return old.orElse(10_000);
    }
    double theta = parameters.get().number("rope_theta");
    if (old.isPresent() && old.getAsDouble() != theta) {
      throw json.wrong("rope_theta", "the same as rope_parameters.rope_theta, " + theta);
    }
    return theta;
  }

  private static Optional<RopeScaling> ropeScaling(ModelJson json) throws ModelFileException {
    Optional<ModelJson> parameters = json.object("rope_parameters");
    Optional<ModelJson> scaling = parameters.isPresent() ? parameters : json.object("rope_scaling");
    if (scaling.isEmpty()) {
      return Optional.empty();
    }
    ModelJson rope = scaling.get();
    if (rope.number("partial_rotary_factor", 1) != 1) {
      throw rope.wrong("partial_rotary_factor", "1");
    }
    String type = rope.text(rope.has("type") ? "type" : "rope_type", "default");
    return switch (type) {
      case "default" -> Optional.empty();
      case "llama3" -> Optional.of(llama3(json, rope));
      default -> throw rope.wrong(rope.has("type") ? "type" : "rope_type", "default or llama3");
    };
  }

  private static RopeScaling llama3(ModelJson json, ModelJson rope) throws ModelFileException {
    try {
      return new RopeScaling(
          rope.number("factor"),
          rope.number("low_freq_factor"),
          rope.number("high_freq_factor"),
          rope.integer("original_max_position_embeddings"));
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private static ModelConfigBuilder gpt2(ModelJson json) throws ModelFileException {
    if (!json.bool("scale_attn_weights", true)) {
      throw json.wrong("scale_attn_weights", "true");
    }
    for (String unsupported :
        new String[] {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
      if (json.bool(unsupported, false)) {
        throw json.wrong(unsupported, "false");
      }
    }
    return ModelConfig.gpt2()
        .vocabSize(json.integer("vocab_size", 50_257))
        .hiddenSize(json.integer("n_embd", 768))
        .intermediateSize(json.integer("n_inner", 0))
        .layers(json.integer("n_layer", 12))
        .heads(json.integer("n_head", 12))
        .maxPositions(json.integer("n_positions", 1024))
        .normEps(json.number("layer_norm_epsilon", 1e-5))
        .tieEmbeddings(json.bool("tie_word_embeddings", true))
        .activation(activation(json, "activation_function", Activation.GELU_TANH));
  }

  private static Activation activation(ModelJson json, String field, Activation fallback)
      throws ModelFileException {
    String name = json.text(field, fallback.configName());
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
      case "gelu" -> Activation.GELU;
      default -> throw json.wrong(field, "silu, gelu_new, gelu_pytorch_tanh or gelu");
    };
  }

  /** A sequence head's outputs. transformers writes its names, and leaves them out where two. */
  private static int labels(ModelJson json) throws ModelFileException {
    boolean sequenceHead = false;
    for (var name : json.node().path("architectures")) {
      sequenceHead |= name.asText().endsWith("ForSequenceClassification");
    }
    if (!sequenceHead) {
      return 0;
    }
    Optional<ModelJson> names = json.object("id2label");
    return names.isPresent() ? names.get().node().size() : json.integer("num_labels", 2);
  }

  static ObjectNode write(ModelConfig config, SpecialTokens tokens, TensorType type) {
    ObjectNode json = ModelJson.newObject();
    String task = config.labels() > 0 ? "ForSequenceClassification" : "LMHeadModel";
    if (config.architecture() == Architecture.LLAMA && config.labels() == 0) {
      task = "ForCausalLM";
    }
    json.putArray("architectures").add(config.architecture().classPrefix() + task);
    json.put("model_type", config.architecture().modelType());
    switch (config.architecture()) {
      case LLAMA -> writeLlama(config, json);
      case GPT2 -> writeGpt2(config, json);
    }
    json.put("vocab_size", config.vocabSize());
    json.put("tie_word_embeddings", config.tieEmbeddings());
    json.put("initializer_range", config.initializerRange());
    if (config.labels() > 0) {
      ObjectNode names = json.putObject("id2label");
      ObjectNode ids = json.putObject("label2id");
      for (int i = 0; i < config.labels(); i++) {
        names.put(Integer.toString(i), "LABEL_" + i);
        ids.put("LABEL_" + i, i);
      }
      json.put(SCORE_BIAS, config.scoreBias());
    }
    tokens.write(json);
    json.put("torch_dtype", torchName(type));
    return json;
  }

  private static void writeLlama(ModelConfig config, ObjectNode json) {
    json.put("hidden_size", config.hiddenSize());
    json.put("intermediate_size", config.intermediateSize());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.kvHeads());
    json.put("head_dim", config.headDim());
    json.put("max_position_embeddings", config.maxPositions());
    json.put("rms_norm_eps", config.normEps());
    json.put("hidden_act", config.activation().configName());
    json.put("attention_bias", config.attentionBias());
    json.put("mlp_bias", config.mlpBias());
    json.put("rope_theta", config.ropeTheta());
    json.putNull("rope_scaling");
    if (config.ropeScaling().isPresent()) {
      RopeScaling scaling = config.ropeScaling().get();
      json.putObject("rope_scaling")
          .put("rope_type", "llama3")
          .put("factor", scaling.factor())
          .put("low_freq_factor", scaling.lowFreqFactor())
          .put("high_freq_factor", scaling.highFreqFactor())
          .put("original_max_position_embeddings", scaling.originalMaxPositions());
    }
  }

  private static void writeGpt2(ModelConfig config, ObjectNode json) {
    json.put("n_embd", config.hiddenSize());
    json.put("n_inner", config.intermediateSize());
    json.put("n_layer", config.layers());
    json.put("n_head", config.heads());
    json.put("n_positions", config.maxPositions());
    json.put("layer_norm_epsilon", config.normEps());
    json.put("activation_function", config.activation().configName());
  }

  private static String torchName(TensorType type) {
    return switch (type) {
      case F32 -> "float32";
      case F16 -> "float16";
      case BF16 -> "bfloat16";
      case F64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K, Q6_K ->
          throw new IllegalArgumentException(
              "Hugging Face directories hold F32, F16 or BF16, not "
                  + type.name().toLowerCase(Locale.ROOT));
    };
  }
}
