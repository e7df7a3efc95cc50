package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How llama.cpp holds a family: its name, the names of its tensors, and what it does to them. What
 * its graphs have no key for is refused when a file is written.
 */
enum GgufFamily {
  LLAMA("llama", Architecture.LLAMA, true),
  QWEN2("qwen2", Architecture.QWEN2, false),
  QWEN3("qwen3", Architecture.QWEN3, false),
  GEMMA3("gemma3", Architecture.GEMMA3, false),
  SMOLLM3("smollm3", Architecture.SMOLLM3, true),
  GRANITE("granite", Architecture.GRANITE, true),
  OLMO2("olmo2", Architecture.OLMO2, false),
  PHI3("phi3", Architecture.PHI3, false);

  /** SmolLM3's layers without positions, and Gemma's global ones, where no key says else. */
  static final int SMOLLM3_INTERVAL = 4;

  static final int GEMMA3_PATTERN = 6;

  private static final List<String> ATTENTION_IN = List.of("attn_q", "attn_k", "attn_v");
  private static final List<String> MLP_IN = List.of("ffn_gate", "ffn_up");

  /** Gemma 3 27B, whose scores llama.cpp scales by width / heads, knowing it by its layers. */
  private static final int GEMMA3_27B_LAYERS = 62;

  private final String ggufName;
  private final Architecture architecture;
  private final boolean paired;

  GgufFamily(String ggufName, Architecture architecture, boolean paired) {
    this.ggufName = ggufName;
    this.architecture = architecture;
    this.paired = paired;
  }

  /** The value of {@code general.architecture}, and what the keys begin with. */
  String ggufName() {
    return ggufName;
  }

  /** The family that a file of this name is read as. */
  Architecture architecture() {
    return architecture;
  }

  /** The family of a file. */
  static Optional<GgufFamily> of(String name) {
    for (GgufFamily family : values()) {
      if (family.ggufName.equals(name)) {
        return Optional.of(family);
      }
    }
    return Optional.empty();
  }

  static List<String> names() {
    List<String> names = new ArrayList<>();
    for (GgufFamily family : values()) {
      names.add(family.ggufName);
    }
    return names;
  }

  /**
   * The family that a model is written as.
   *
   * @throws IllegalArgumentException naming what of the model a GGUF file cannot say
   */
  static GgufFamily of(ModelConfig config) {
    GgufFamily family =
        switch (config.architecture()) {
          case LLAMA, MISTRAL -> LLAMA;
          case QWEN2 -> QWEN2;
          case QWEN3 -> QWEN3;
          case GEMMA3 -> GEMMA3;
          case SMOLLM3 -> SMOLLM3;
          case GRANITE -> GRANITE;
          case OLMO2 -> OLMO2;
          case PHI3 -> PHI3;
          case GPT1, GPT2 -> throw unsaid(config, "learned positions");
        };
    if (config.labels() > 0) {
      throw unsaid(config, "a sequence head");
    }
    Activation activation = family == GEMMA3 ? Activation.GELU_TANH : Activation.SILU;
    if (config.activation() != activation) {
      throw unsaid(config, "activation " + config.activation().configName());
    }
    boolean biases = family == LLAMA || family == GRANITE;
    if ((config.attentionBias() && !biases && family != QWEN2) || (config.mlpBias() && !biases)) {
      throw unsaid(config, "biases");
    }
    boolean hides = config.window() > 0 && config.window() < config.maxPositions();
    if (family != GEMMA3 && hides) {
      throw unsaid(config, "a window of " + config.window() + " tokens, which llama.cpp drops");
    }
    if (family != LLAMA
        && config.ropeScaling().filter(RopeScaling.Llama3.class::isInstance).isPresent()) {
      throw unsaid(config, "LLaMA-3's scaling of positions");
    }
    if (config.ropeScaling().filter(GgufFamily::isUnrounded).isPresent()) {
      throw unsaid(config, "YaRN without truncate");
    }
    if (family == SMOLLM3 && !kinds(config, kind -> !kind.rotated(), SMOLLM3_INTERVAL)) {
      throw unsaid(config, "layers without positions other than every fourth");
    }
    if (family == GEMMA3 && pattern(config) == 0) {
      throw unsaid(config, "layer_types that do not repeat");
    }
    return family;
  }

  private static boolean isUnrounded(RopeScaling scaling) {
    return scaling instanceof RopeScaling.Yarn yarn && !yarn.truncate();
  }

  private static IllegalArgumentException unsaid(ModelConfig config, String what) {
    return new IllegalArgumentException(
        "GGUF cannot hold this model of type %s: it has no way to say %s. Export it as hf"
            .formatted(config.architecture().modelType(), what));
  }

  private static boolean kinds(ModelConfig config, Predicate<LayerKind> chosen, int interval) {
    for (int i = 0; i < config.layers(); i++) {
      if (chosen.test(config.layerKinds().get(i)) != ((i + 1) % interval == 0)) {
        return false;
      }
    }
    return true;
  }

  /** After how many layers a global one comes again; 0 where they do not repeat. */
  static int pattern(ModelConfig config) {
    for (int interval = 1; interval <= config.layers() + 1; interval++) {
      if (kinds(config, kind -> !kind.local(), interval)) {
        return interval;
      }
    }
    return 0;
  }

  /** What llama.cpp scales scores by, where no key says else. */
  double attentionScale(ModelConfig config) {
    boolean large = this == GEMMA3 && config.layers() == GEMMA3_27B_LAYERS;
    return 1 / Math.sqrt(large ? config.hiddenSize() / (double) config.heads() : config.headDim());
  }

  /** The tensor's names here by Hugging Face's, for a model of this shape. */
  Map<String, String> tensorNames(ModelConfig config) {
    TensorNames names = config.architecture().names();
    Map<String, String> map = new HashMap<>();
    map.put(names.embedding() + ".weight", "token_embd.weight");
    map.put(names.finalNorm() + ".weight", "output_norm.weight");
    map.put(ModelTensors.LM_HEAD, "output.weight");
    for (int i = 0; i < config.layers(); i++) {
      String ours = names.layer() + i + ".";
      String theirs = "blk." + i + ".";
      put(map, ours, names.attentionNorm(), theirs + "attn_norm");
      put(map, ours, names.attentionBranchNorm(), theirs + "post_attention_norm");
      put(map, ours, names.mlpNorm(), theirs + "ffn_norm");
      put(map, ours, names.mlpBranchNorm(), theirs + "post_ffw_norm");
      put(map, ours, names.queryNorm(), theirs + "attn_q_norm");
      put(map, ours, names.keyNorm(), theirs + "attn_k_norm");
      put(map, ours, names.attentionIn(), theirs, List.of("attn_qkv"), ATTENTION_IN);
      put(map, ours, names.attentionOut(), theirs + "attn_output");
      put(map, ours, names.mlpIn(), theirs, List.of("ffn_up"), MLP_IN);
      put(map, ours, names.mlpOut(), theirs + "ffn_down");
    }
    return map;
  }

  private static void put(
      Map<String, String> map,
      String layer,
      List<String> ours,
      String theirLayer,
      List<String> fused,
      List<String> apart) {
    List<String> theirs = ours.size() == 1 ? fused : apart;
    for (int i = 0; i < ours.size(); i++) {
      put(map, layer, ours.get(i), theirLayer + theirs.get(i));
    }
  }

  private static void put(Map<String, String> map, String layer, String ours, String theirs) {
    if (!ours.isEmpty()) {
      map.put(layer + ours + ".weight", theirs + ".weight");
      map.put(layer + ours + ".bias", theirs + ".bias");
    }
  }

  /** How many heads' rows stand in rotary pairs in the tensor of this Hugging Face name. */
  int pairedHeads(ModelConfig config, String name) {
    if (paired && name.contains(".self_attn.q_proj.")) {
      return config.heads();
    }
    return paired && name.contains(".self_attn.k_proj.") ? config.kvHeads() : 0;
  }

  /** What the file has added to a tensor of this Hugging Face name: 1 to the gains of Gemma. */
  float added(String name) {
    return this == GEMMA3 && name.endsWith("norm.weight") ? 1 : 0;
  }
}
