package dev.distillery.model.format;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.format.ModelFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Reads config.json. Both spellings are read: transformers 5 puts theta and scaling in {@code
 * rope_parameters}, older files have {@code rope_theta} and {@code rope_scaling} on top. A key that
 * is neither read nor known to change no result is refused by name. What a missing key means is
 * what the family's class in transformers takes.
 */
final class HuggingFaceConfig {
  static final String SCORE_BIAS = "distillery_score_bias";

  /** What the family's class takes for keys that are missing. */
  private record Defaults(int headDim, int context, double eps, double theta, boolean tied) {
    static Defaults of(Architecture architecture) {
      return switch (architecture) {
        case LLAMA, GRANITE -> new Defaults(0, 2048, 1e-6, 10_000, false);
        case QWEN2 -> new Defaults(0, 32_768, 1e-6, 10_000, false);
        case QWEN3 -> new Defaults(128, 32_768, 1e-6, 10_000, false);
        case MISTRAL -> new Defaults(0, 131_072, 1e-6, 10_000, false);
        case GEMMA3 -> new Defaults(256, 131_072, 1e-6, 1_000_000, true);
        case SMOLLM3 -> new Defaults(0, 32_768, 1e-6, 2_000_000, true);
        case OLMO2 -> new Defaults(0, 2048, 1e-5, 10_000, false);
        case PHI3 -> new Defaults(0, 4096, 1e-5, 10_000, false);
        case GPT2 -> new Defaults(0, 1024, 1e-5, 0, true);
        case GPT1 -> new Defaults(0, 512, 1e-5, 0, true);
      };
    }
  }

  /** The window of classes that have one by themselves. */
  private static final int DEFAULT_WINDOW = 4096;

  private static final double GEMMA_LOCAL_THETA = 10_000;

  private final ModelJson json;
  private final Architecture architecture;
  private final Defaults defaults;
  private final ModelConfigBuilder builder;

  private HuggingFaceConfig(ModelJson json) throws ModelFileException {
    this.json = json;
    this.architecture = architecture(json);
    this.defaults = Defaults.of(architecture);
    this.builder = ModelConfig.of(architecture);
  }

  static ModelConfig read(ModelJson json) throws ModelFileException {
    return new HuggingFaceConfig(json).read();
  }

  private ModelConfig read() throws ModelFileException {
    if (json.has("quantization_config")) {
      throw json.wrong("quantization_config", "absent: quantised weights are read from GGUF only");
    }
    if (architecture.shape().rotary()) {
      decoder();
    } else {
      gpt();
    }
    builder
        .tieEmbeddings(json.bool("tie_word_embeddings", defaults.tied()))
        .initializerRange(json.number("initializer_range", 0.02))
        .labels(labels(json))
        .scoreBias(json.number(SCORE_BIAS, 0));
    refuseUnread(json);
    try {
      return builder.build();
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  private static Architecture architecture(ModelJson json) throws ModelFileException {
    String type = json.text("model_type");
    if (type.equals("gemma3")) {
      throw json.wrong(
          "model_type",
          "gemma3_text: a model with a vision tower is not read; export its text part");
    }
    return Architecture.of(type)
        .orElseThrow(
            () ->
                json.wrong("model_type", "one of " + String.join(", ", Architecture.modelTypes())));
  }

  private void refuseUnread(ModelJson object) throws ModelFileException {
    for (String key : object.unread()) {
      JsonNode value = object.node().get(key);
      boolean ownClass = key.equals("auto_map") && isOwnClass(value);
      if (!ConfigKeys.changeNothing(key, value) && !ownClass) {
        throw object.wrong(
            key,
            "absent: it is not known what it does to a model of type " + architecture.modelType());
      }
    }
  }

  /** Whether code that the file brings along is the family's own class. */
  private boolean isOwnClass(JsonNode autoMap) {
    return autoMap
        .path("AutoModelForCausalLM")
        .asText()
        .endsWith("." + architecture.classPrefix() + "ForCausalLM");
  }

  private void must(String field, double value) throws ModelFileException {
    if (json.number(field, value) != value) {
      throw json.wrong(field, String.valueOf(value));
    }
  }

  private void mustBe(String field, boolean value) throws ModelFileException {
    if (json.bool(field, value) != value) {
      throw json.wrong(field, String.valueOf(value));
    }
  }

  // GPT

  private void gpt() throws ModelFileException {
    mustBe("scale_attn_weights", true);
    mustBe("scale_attn_by_inverse_layer_idx", false);
    mustBe("add_cross_attention", false);
    boolean gpt1 = architecture == Architecture.GPT1;
    builder
        .vocabSize(json.integer("vocab_size", gpt1 ? 40_478 : 50_257))
        .hiddenSize(json.integer("n_embd", 768))
        .intermediateSize(gpt1 ? 0 : json.integer("n_inner", 0))
        .layers(json.integer("n_layer", 12))
        .heads(json.integer("n_head", 12))
        .maxPositions(json.integer("n_positions", defaults.context()))
        .normEps(json.number("layer_norm_epsilon", defaults.eps()))
        .activation(
            gpt1 ? gpt1Activation() : activation("activation_function", Activation.GELU_TANH));
  }

  /** GPT-1 calls the tanh approximation gelu. */
  private Activation gpt1Activation() throws ModelFileException {
    return switch (json.text("afn", "gelu")) {
      case "gelu", "gelu_new" -> Activation.GELU_TANH;
      case "silu", "swish" -> Activation.SILU;
      default -> throw json.wrong("afn", "gelu, gelu_new, silu or swish");
    };
  }

  // Everything with rotary positions

  private void decoder() throws ModelFileException {
    must("pretraining_tp", 1);
    must("partial_rotary_factor", 1);
    int heads = json.integer("num_attention_heads");
    int width = json.integer("hidden_size");
    int layers = json.integer("num_hidden_layers");
    int quotient = heads > 0 ? width / heads : 0;
    builder
        .vocabSize(json.integer("vocab_size"))
        .hiddenSize(width)
        .intermediateSize(json.integer("intermediate_size"))
        .layers(layers)
        .heads(heads)
        .kvHeads(kvHeads(heads))
        .headDim(json.integer("head_dim", defaults.headDim() == 0 ? quotient : defaults.headDim()))
        .maxPositions(context())
        .normEps(json.number("rms_norm_eps", defaults.eps()));
    if (architecture == Architecture.GEMMA3) {
      builder.activation(activation("hidden_activation", Activation.GELU_TANH));
      gemmaRope();
    } else {
      builder.activation(activation("hidden_act", Activation.SILU));
      rope();
    }
    switch (architecture) {
      case LLAMA, QWEN3, GEMMA3, SMOLLM3, GRANITE, OLMO2 ->
          builder.attentionBias(json.bool("attention_bias", false));
      case QWEN2, MISTRAL, PHI3, GPT1, GPT2 -> {}
    }
    switch (architecture) {
      case LLAMA -> builder.mlpBias(json.bool("mlp_bias", false));
      case QWEN2, QWEN3 -> qwenLayers(layers);
      case MISTRAL -> mistralLayers();
      case PHI3 -> phi3Layers();
      case GEMMA3 -> {
        gemmaLayers(layers);
        gemmaScales();
      }
      case SMOLLM3 -> {
        builder.mlpBias(json.bool("mlp_bias", false));
        smolLayers(layers);
      }
      case GRANITE -> {
        builder.mlpBias(json.bool("mlp_bias", false));
        graniteScales();
      }
      case OLMO2, GPT1, GPT2 -> {}
    }
  }

  private int context() throws ModelFileException {
    return json.integer("max_position_embeddings", defaults.context());
  }

  private int kvHeads(int heads) throws ModelFileException {
    boolean asHeads =
        switch (architecture) {
          case LLAMA, GRANITE, OLMO2, PHI3 -> true;
          case QWEN2, QWEN3, MISTRAL, GEMMA3, SMOLLM3, GPT1, GPT2 ->
              json.isNull("num_key_value_heads");
        };
    return asHeads
        ? json.integer("num_key_value_heads", heads)
        : json.integer("num_key_value_heads");
  }

  private Activation activation(String field, Activation fallback) throws ModelFileException {
    String name = json.text(field, fallback.configName());
    return switch (name) {
      case "silu", "swish" -> Activation.SILU;
      case "gelu_new", "gelu_pytorch_tanh" -> Activation.GELU_TANH;
      case "gelu" -> Activation.GELU;
      default -> throw json.wrong(field, "silu, gelu_new, gelu_pytorch_tanh or gelu");
    };
  }

  // Positions

  /** What an object says of all layers' positions. */
  private record Rope(double theta, Optional<RopeScaling> scaling) {}

  private void rope() throws ModelFileException {
    Rope rope = rope(json.object("rope_parameters"), json.object("rope_scaling"));
    OptionalDouble outer = json.optionalNumber("rope_theta");
    if (outer.isPresent() && outer.getAsDouble() != rope.theta()) {
      throw json.wrong("rope_theta", "the same as rope_parameters.rope_theta, " + rope.theta());
    }
    builder.ropeTheta(rope.theta()).ropeScaling(rope.scaling());
  }

  /** transformers takes the older of two objects, so that they may not say different things. */
  private Rope rope(Optional<ModelJson> parameters, Optional<ModelJson> older)
      throws ModelFileException {
    Rope said = rope(parameters.isPresent() ? parameters : older);
    if (older.isPresent() && !rope(older).equals(said)) {
      throw json.wrong("rope_scaling", "the same as rope_parameters, with the same rope_theta");
    }
    return said;
  }

  private Rope rope(Optional<ModelJson> inner) throws ModelFileException {
    double theta = json.number("rope_theta", defaults.theta());
    if (inner.isPresent()) {
      theta = inner.get().number("rope_theta", theta);
    }
    return new Rope(theta, scaling(inner));
  }

  /** Another theta in layers that see a window; scaling is of the others. */
  private void gemmaRope() throws ModelFileException {
    Optional<ModelJson> parameters = json.object("rope_parameters");
    double local = json.number("rope_local_base_freq", GEMMA_LOCAL_THETA);
    Optional<ModelJson> full = Optional.empty();
    if (parameters.isPresent()) {
      full = parameters.get().object("full_attention");
      Optional<ModelJson> sliding = parameters.get().object("sliding_attention");
      refuseUnread(parameters.get());
      if (sliding.isPresent()) {
        local = sliding.get().number("rope_theta", local);
        if (scaling(sliding).isPresent()) {
          throw sliding.get().wrong("rope_type", "default");
        }
      }
    }
    Rope rope = rope(full, json.object("rope_scaling"));
    builder.ropeTheta(rope.theta()).localRopeTheta(local).ropeScaling(rope.scaling());
  }

  private Optional<RopeScaling> scaling(Optional<ModelJson> given) throws ModelFileException {
    if (given.isEmpty()) {
      return Optional.empty();
    }
    try {
      Optional<RopeScaling> scaling =
          RopeScalingJson.read(given.get(), context(), architecture != Architecture.GEMMA3);
      refuseUnread(given.get());
      if (architecture == Architecture.PHI3
          && scaling.filter(RopeScaling.Yarn.class::isInstance).isPresent()) {
        throw given.get().wrong("rope_type", "default or linear: yarn is LongRoPE's old name here");
      }
      return scaling;
    } catch (IllegalArgumentException e) {
      throw json.error(e.getMessage());
    }
  }

  // Layers that see a window

  private void mistralLayers() throws ModelFileException {
    if (json.has("layer_types")) {
      throw json.wrong("layer_types", "absent: all layers of mistral are the same");
    }
    window(DEFAULT_WINDOW);
  }

  private void phi3Layers() throws ModelFileException {
    // Of LongRoPE, where there is some.
    json.skip("original_max_position_embeddings");
    if (json.has("sliding_window")) {
      window(0);
    }
  }

  private void qwenLayers(int layers) throws ModelFileException {
    // Published files have a window beside a switch that voids it.
    boolean windows = json.bool("use_sliding_window", false);
    int first = json.integer("max_window_layers", 28);
    json.skip("sliding_window");
    if (windows && !json.isNull("sliding_window")) {
      window(DEFAULT_WINDOW);
      List<LayerKind> kinds = new ArrayList<>();
      for (int i = 0; i < layers && i < ModelConfig.MAX_LAYERS; i++) {
        kinds.add(LayerKind.of(i >= first, true));
      }
      kinds(layerTypes(kinds));
    } else if (layerTypes(List.of()).contains(LayerKind.LOCAL)) {
      throw json.wrong("layer_types", "full_attention only, as use_sliding_window is not true");
    }
  }

  private void gemmaLayers(int layers) throws ModelFileException {
    mustBe("use_bidirectional_attention", false);
    if (json.isNull("sliding_window")) {
      throw json.wrong("sliding_window", "a number");
    }
    window(DEFAULT_WINDOW);
    int pattern =
        json.integer("sliding_window_pattern", json.integer("_sliding_window_pattern", 6));
    if (pattern < 1) {
      throw json.wrong("sliding_window_pattern", "at least 1");
    }
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 0; i < layers && i < ModelConfig.MAX_LAYERS; i++) {
      kinds.add(LayerKind.of((i + 1) % pattern != 0, true));
    }
    kinds(layerTypes(kinds));
  }

  private void smolLayers(int layers) throws ModelFileException {
    boolean windows = json.has("sliding_window") && json.bool("use_sliding_window", false);
    json.skip("use_sliding_window");
    int interval = json.integer("no_rope_layer_interval", 4);
    if (interval < 1) {
      throw json.wrong("no_rope_layer_interval", "at least 1");
    }
    JsonNode given = json.has("no_rope_layers") ? json.node().get("no_rope_layers") : null;
    if (given != null && (!given.isArray() || given.size() < layers)) {
      throw json.wrong("no_rope_layers", "a list of 0 and 1, one a layer");
    }
    List<LayerKind> kinds = new ArrayList<>();
    for (int i = 0; i < layers && i < ModelConfig.MAX_LAYERS; i++) {
      // 1 means rotated, whatever the key's name.
      boolean rotated = given == null ? (i + 1) % interval != 0 : given.get(i).asInt() == 1;
      kinds.add(LayerKind.of(windows && !rotated, rotated));
    }
    List<LayerKind> types = layerTypes(kinds);
    for (int i = 0; i < types.size(); i++) {
      kinds.set(i, LayerKind.of(types.get(i).local(), kinds.get(i).rotated()));
    }
    if (kinds.stream().anyMatch(LayerKind::local)) {
      if (!windows) {
        throw json.wrong("layer_types", "full_attention only, as use_sliding_window is not true");
      }
      window(DEFAULT_WINDOW);
    }
    kinds(kinds);
  }

  /** A window that is stated counts as it is; the class's own is not wider than the context. */
  private void window(int missing) throws ModelFileException {
    if (json.isNull("sliding_window")) {
      return;
    }
    builder.window(json.integer("sliding_window", Math.min(missing, context())));
  }

  private void kinds(List<LayerKind> kinds) {
    if (kinds.stream().noneMatch(LayerKind::local)) {
      builder.window(0);
    }
    builder.layerKinds(kinds);
  }

  /** What layer_types says, or the given kinds where it is missing. */
  private List<LayerKind> layerTypes(List<LayerKind> fallback) throws ModelFileException {
    if (!json.has("layer_types")) {
      return fallback;
    }
    JsonNode types = json.node().get("layer_types");
    List<LayerKind> kinds = new ArrayList<>();
    for (JsonNode type : types) {
      switch (type.asText()) {
        case "full_attention" -> kinds.add(LayerKind.FULL);
        case "sliding_attention" -> kinds.add(LayerKind.LOCAL);
        default -> throw json.wrong("layer_types", "full_attention or sliding_attention a layer");
      }
    }
    if (!types.isArray() || kinds.size() != json.integer("num_hidden_layers")) {
      throw json.wrong("layer_types", "a list of one a layer");
    }
    return kinds;
  }

  // Scales

  private void gemmaScales() throws ModelFileException {
    for (String field : new String[] {"final_logit_softcapping", "attn_logit_softcapping"}) {
      if (json.has(field)) {
        throw json.wrong(field, "null: capped logits are not computed");
      }
    }
    builder.attentionScale(1 / Math.sqrt(json.number("query_pre_attn_scalar", 256)));
  }

  /** The attention's multiplier takes the place of 1 / sqrt(head_dim); logits are divided. */
  private void graniteScales() throws ModelFileException {
    builder
        .embeddingScale(json.number("embedding_multiplier", 1))
        .attentionScale(json.number("attention_multiplier", 1))
        .residualScale(json.number("residual_multiplier", 1))
        .logitScale(1 / json.number("logits_scaling", 1));
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
}
