package dev.distillery.model.format;

/** The kinds of decoder that can be read, run and written. */
public enum Architecture {
  /**
   * RMSNorm before each block, rotary positions that rotate halves, grouped-query attention, a
   * gated MLP. Hugging Face's {@code llama}.
   */
  LLAMA("llama", "Llama"),
  /**
   * LayerNorm with bias before each block, learned positions, one fused attention projection, an
   * ungated MLP, biases everywhere. Hugging Face's {@code gpt2}.
   */
  GPT2("gpt2", "GPT2");

  private final String modelType;
  private final String classPrefix;

  Architecture(String modelType, String classPrefix) {
    this.modelType = modelType;
    this.classPrefix = classPrefix;
  }

  /** The value of {@code model_type} in config.json. */
  public String modelType() {
    return modelType;
  }

  /** What the class names in config.json's {@code architectures} begin with. */
  String classPrefix() {
    return classPrefix;
  }
}
