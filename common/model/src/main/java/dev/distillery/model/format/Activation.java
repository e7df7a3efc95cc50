package dev.distillery.model.format;

/** The non-linearity of the MLP. */
public enum Activation {
  /** x * sigmoid(x). */
  SILU("silu"),
  /** 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))), as GPT-2 computes GELU. */
  GELU_TANH("gelu_new"),
  /** 0.5 x (1 + erf(x / sqrt 2)). */
  GELU("gelu");

  private final String configName;

  Activation(String configName) {
    this.configName = configName;
  }

  /** The name in config.json. */
  public String configName() {
    return configName;
  }
}
