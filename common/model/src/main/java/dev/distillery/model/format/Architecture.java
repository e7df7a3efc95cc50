package dev.distillery.model.format;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * The families of decoders that can be read, run, trained and written. A family is a row of this
 * table: choices, names, and how its files call it. What it reads of config.json stands in {@link
 * HuggingFaceConfig}.
 */
@SuppressWarnings("ImmutableEnumChecker") // Records of strings, enums and unmodifiable lists.
public enum Architecture {
  LLAMA("llama", "Llama", LayerShape.LLAMA, TensorNames.LLAMA),
  /** Biases on queries, keys and values, never on attention's output. */
  QWEN2("qwen2", "Qwen2", LayerShape.QWEN2, TensorNames.LLAMA),
  /** Norms of queries and keys a head. */
  QWEN3("qwen3", "Qwen3", LayerShape.QWEN3, TensorNames.QWEN3),
  /** LLaMA whose layers all see a window. */
  MISTRAL("mistral", "Mistral", LayerShape.LLAMA, TensorNames.LLAMA),
  /** Gemma 3's language model. */
  GEMMA3("gemma3_text", "Gemma3", LayerShape.GEMMA3, TensorNames.GEMMA3),
  /** LLaMA with layers that have no positions. */
  SMOLLM3("smollm3", "SmolLM3", LayerShape.LLAMA, TensorNames.LLAMA),
  /** LLaMA with four multipliers. */
  GRANITE("granite", "Granite", LayerShape.LLAMA, TensorNames.LLAMA),
  /** Norms on the branches only, and of all heads together. */
  OLMO2("olmo2", "Olmo2", LayerShape.OLMO2, TensorNames.OLMO2),
  /** LLaMA with one projection to queries, keys and values, and one to gate and up. */
  PHI3("phi3", "Phi3", LayerShape.LLAMA, TensorNames.PHI3),
  GPT2("gpt2", "GPT2", LayerShape.GPT2, TensorNames.GPT2),
  /** GPT-1: norms after attention and MLP, none before the head. */
  GPT1("openai-gpt", "OpenAIGPT", LayerShape.GPT1, TensorNames.GPT1);

  private final String modelType;
  private final String classPrefix;
  private final LayerShape shape;
  private final TensorNames names;

  Architecture(String modelType, String classPrefix, LayerShape shape, TensorNames names) {
    this.modelType = modelType;
    this.classPrefix = classPrefix;
    this.shape = shape;
    this.names = names;
  }

  /** The value of {@code model_type} in config.json. */
  public String modelType() {
    return modelType;
  }

  /** What the class names in config.json's {@code architectures} begin with. */
  String classPrefix() {
    return classPrefix;
  }

  /** The choices that its layers are made of. */
  public LayerShape shape() {
    return shape;
  }

  /** What its tensors are called. */
  public TensorNames names() {
    return names;
  }

  static Optional<Architecture> of(String modelType) {
    return Arrays.stream(values()).filter(a -> a.modelType.equals(modelType)).findFirst();
  }

  static List<String> modelTypes() {
    return Arrays.stream(values()).map(Architecture::modelType).toList();
  }
}
