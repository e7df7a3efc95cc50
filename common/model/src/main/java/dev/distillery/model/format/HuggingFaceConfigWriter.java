package dev.distillery.model.format;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;

/**
 * Writes config.json in the older spelling, which every version of transformers reads. What {@link
 * HuggingFaceConfig} reads back is equal.
 */
final class HuggingFaceConfigWriter {
  private HuggingFaceConfigWriter() {}

  static ObjectNode write(ModelConfig config, SpecialTokens tokens, TensorType type) {
    ObjectNode json = ModelJson.newObject();
    String task = config.labels() > 0 ? "ForSequenceClassification" : "LMHeadModel";
    if (config.architecture().shape().rotary() && config.labels() == 0) {
      task = "ForCausalLM";
    }
    json.putArray("architectures").add(config.architecture().classPrefix() + task);
    json.put("model_type", config.architecture().modelType());
    if (config.architecture().shape().rotary()) {
      writeDecoder(config, json);
      writeLayers(config, json);
      writeScales(config, json);
    } else {
      writeGpt(config, json);
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
      json.put(HuggingFaceConfig.SCORE_BIAS, config.scoreBias());
    }
    tokens.write(json);
    json.put("torch_dtype", torchName(type));
    return json;
  }

  private static void writeDecoder(ModelConfig config, ObjectNode json) {
    json.put("hidden_size", config.hiddenSize());
    json.put("intermediate_size", config.intermediateSize());
    json.put("num_hidden_layers", config.layers());
    json.put("num_attention_heads", config.heads());
    json.put("num_key_value_heads", config.kvHeads());
    json.put("head_dim", config.headDim());
    json.put("max_position_embeddings", config.maxPositions());
    json.put("rms_norm_eps", config.normEps());
    if (config.architecture() == Architecture.GEMMA3) {
      boolean tanh = config.activation() == Activation.GELU_TANH;
      json.put("hidden_activation", tanh ? "gelu_pytorch_tanh" : config.activation().configName());
    } else {
      json.put("hidden_act", config.activation().configName());
    }
    if (config.architecture() != Architecture.QWEN2) {
      json.put("attention_bias", config.attentionBias());
    }
    json.put("mlp_bias", config.mlpBias());
    json.put("rope_theta", config.ropeTheta());
    config.localRopeTheta().ifPresent(theta -> json.put("rope_local_base_freq", theta));
    json.putNull("rope_scaling");
    config
        .ropeScaling()
        .ifPresent(scaling -> RopeScalingJson.write(scaling, json.putObject("rope_scaling")));
  }

  private static void writeLayers(ModelConfig config, ObjectNode json) {
    boolean windows = config.window() > 0;
    switch (config.architecture()) {
      case MISTRAL, PHI3 -> writeWindow(config, json);
      case QWEN2, QWEN3 -> {
        json.put("use_sliding_window", windows);
        writeWindow(config, json);
        // Older versions know only that layers from one on are local.
        int first = 0;
        while (first < config.layers() && !config.layerKinds().get(first).local()) {
          first++;
        }
        json.put("max_window_layers", first);
        writeTypes(config, json);
      }
      case GEMMA3 -> {
        writeWindow(config, json);
        writeTypes(config, json);
      }
      case SMOLLM3 -> {
        json.put("use_sliding_window", windows);
        writeWindow(config, json);
        ArrayNode rotated = json.putArray("no_rope_layers");
        config.layerKinds().forEach(kind -> rotated.add(kind.rotated() ? 1 : 0));
        writeTypes(config, json);
      }
      case LLAMA, GRANITE, OLMO2, GPT1, GPT2 -> {}
    }
  }

  private static void writeWindow(ModelConfig config, ObjectNode json) {
    if (config.window() > 0) {
      json.put("sliding_window", config.window());
    } else if (config.architecture() != Architecture.GEMMA3) {
      json.putNull("sliding_window");
    }
  }

  private static void writeTypes(ModelConfig config, ObjectNode json) {
    ArrayNode types = json.putArray("layer_types");
    for (LayerKind kind : config.layerKinds()) {
      types.add(kind.local() ? "sliding_attention" : "full_attention");
    }
  }

  private static void writeScales(ModelConfig config, ObjectNode json) {
    Scales scales = config.scales();
    if (config.architecture() == Architecture.GEMMA3) {
      double scalar = 1 / (scales.attention() * scales.attention());
      long whole = Math.round(scalar);
      // transformers wants an integer here.
      if (1 / Math.sqrt((double) whole) == scales.attention()) {
        json.put("query_pre_attn_scalar", whole);
      } else {
        json.put("query_pre_attn_scalar", scalar);
      }
    } else if (config.architecture() == Architecture.GRANITE) {
      json.put("embedding_multiplier", scales.embedding());
      json.put("attention_multiplier", scales.attention());
      json.put("residual_multiplier", scales.residual());
      json.put("logits_scaling", 1 / scales.logits());
    }
  }

  private static void writeGpt(ModelConfig config, ObjectNode json) {
    json.put("n_embd", config.hiddenSize());
    if (config.architecture() == Architecture.GPT2) {
      json.put("n_inner", config.intermediateSize());
    }
    json.put("n_layer", config.layers());
    json.put("n_head", config.heads());
    json.put("n_positions", config.maxPositions());
    json.put("layer_norm_epsilon", config.normEps());
    boolean gpt1 = config.architecture() == Architecture.GPT1;
    json.put(gpt1 ? "afn" : "activation_function", config.activation().configName());
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
