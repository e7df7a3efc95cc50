package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * The shape of a decoder: everything that config.json says about its arithmetic, and nothing about
 * training or sampling.
 *
 * @param architecture the kind of decoder
 * @param vocabSize rows of the token embedding
 * @param hiddenSize width of the residual stream
 * @param intermediateSize inner width of the MLP
 * @param layers number of blocks
 * @param heads query heads of a layer
 * @param kvHeads key and value heads of a layer; divides {@code heads}, equal to it in GPT-2
 * @param headDim width of one head; {@code heads * headDim} may differ from {@code hiddenSize} in
 *     LLaMA
 * @param maxPositions longest context; rows of the position embedding in GPT-2
 * @param normEps epsilon of RMSNorm or LayerNorm
 * @param ropeTheta base of the rotary frequencies; unused in GPT-2
 * @param ropeScaling LLaMA-3's stretching, where the model has it
 * @param tieEmbeddings whether the output head is the token embedding
 * @param attentionBias whether the attention's four projections have biases (always in GPT-2)
 * @param mlpBias whether the MLP's projections have biases (always in GPT-2)
 * @param activation the MLP's non-linearity
 * @param initializerRange standard deviation of fresh weights
 * @param labels outputs of the sequence head {@code score.weight}; 0 for a language model
 * @param scoreBias what a reward model adds to its score; Hugging Face's sequence head has no bias,
 *     so it stands under {@code distillery_score_bias} in config.json
 */
public record ModelConfig(
    Architecture architecture,
    int vocabSize,
    int hiddenSize,
    int intermediateSize,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int maxPositions,
    double normEps,
    double ropeTheta,
    Optional<RopeScaling> ropeScaling,
    boolean tieEmbeddings,
    boolean attentionBias,
    boolean mlpBias,
    Activation activation,
    double initializerRange,
    int labels,
    double scoreBias) {

  /** The size limits below are a few times those of the largest published decoders. */
  private static final int MAX_WIDTH = 1 << 18;

  private static final int MAX_VOCAB = 1 << 22;
  private static final int MAX_LAYERS = 1 << 10;
  private static final int MAX_POSITIONS = 1 << 24;

  public ModelConfig {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(ropeScaling, "ropeScaling");
    Objects.requireNonNull(activation, "activation");
    List<String> violations = new ArrayList<>();
    range(violations, "vocab_size", vocabSize, 1, MAX_VOCAB);
    range(violations, "hidden_size", hiddenSize, 1, MAX_WIDTH);
    range(violations, "intermediate_size", intermediateSize, 1, 4 * MAX_WIDTH);
    range(violations, "num_hidden_layers", layers, 1, MAX_LAYERS);
    range(violations, "num_attention_heads", heads, 1, MAX_WIDTH);
    range(violations, "num_key_value_heads", kvHeads, 1, MAX_WIDTH);
    range(violations, "head_dim", headDim, 1, MAX_WIDTH);
    range(violations, "max_position_embeddings", maxPositions, 1, MAX_POSITIONS);
    range(violations, "num_labels", labels, 0, 1 << 16);
    if (kvHeads > 0 && heads % kvHeads != 0) {
      violations.add(
          "num_attention_heads must be a multiple of num_key_value_heads: "
              + heads
              + ", "
              + kvHeads);
    }
    if ((long) heads * headDim > 4L * MAX_WIDTH) {
      violations.add("num_attention_heads x head_dim is too large: " + heads + " x " + headDim);
    }
    if ((long) vocabSize * hiddenSize > Integer.MAX_VALUE
        || (long) intermediateSize * hiddenSize > Integer.MAX_VALUE) {
      violations.add(
          "A tensor of 2^31 values or more cannot be held: vocab_size "
              + vocabSize
              + ", hidden_size "
              + hiddenSize
              + ", intermediate_size "
              + intermediateSize);
    }
    if (!(normEps > 0 && normEps < 1)) {
      violations.add("The norm's epsilon must be in (0, 1): " + normEps);
    }
    if (!(initializerRange > 0 && initializerRange <= 10)) {
      violations.add("initializer_range must be in (0, 10]: " + initializerRange);
    }
    if (!Double.isFinite(scoreBias)) {
      violations.add("The score's bias must be finite: " + scoreBias);
    }
    switch (architecture) {
      case LLAMA -> {
        if (headDim % 2 != 0) {
          violations.add("head_dim must be even for rotary positions: " + headDim);
        }
        if (!(ropeTheta > 1 && ropeTheta <= 1e12)) {
          violations.add("rope_theta must be in (1, 1e12]: " + ropeTheta);
        }
      }
      case GPT2 -> {
        if (kvHeads != heads || (long) heads * headDim != hiddenSize) {
          violations.add(
              "GPT-2 needs kv heads = heads and heads x head_dim = hidden_size: "
                  + heads
                  + ", "
                  + kvHeads
                  + ", "
                  + headDim
                  + ", "
                  + hiddenSize);
        }
        if (!attentionBias || !mlpBias || ropeScaling.isPresent()) {
          violations.add("GPT-2 has biases everywhere and no rotary positions");
        }
      }
    }
    if (!violations.isEmpty()) {
      throw new IllegalArgumentException(
          "Model configuration cannot be used: " + String.join("; ", violations));
    }
  }

  private static void range(List<String> violations, String name, int value, int min, int max) {
    if (value < min || value > max) {
      violations.add(name + " must be in [" + min + ", " + max + "]: " + value);
    }
  }

  /** Width of all query heads together. */
  public int queryWidth() {
    return heads * headDim;
  }

  /** Width of all key heads together, and of all value heads. */
  public int kvWidth() {
    return kvHeads * headDim;
  }

  /** All parameters, a tied head counted once. */
  public long parameterCount() {
    return ModelTensors.of(this).stream().mapToLong(TensorSpec::elements).sum();
  }

  /**
   * The angular frequency of each pair of a rotated head, stretched where the model says so: {@code
   * headDim / 2} values, radians per position.
   */
  public double[] ropeFrequencies() {
    double[] frequencies = new double[headDim / 2];
    for (int i = 0; i < frequencies.length; i++) {
      double frequency = Math.pow(ropeTheta, -2.0 * i / headDim);
      frequencies[i] = ropeScaling.map(s -> s.scale(frequency)).orElse(frequency);
    }
    return frequencies;
  }

  /** A builder that starts at this configuration. */
  public ModelConfigBuilder toBuilder() {
    return new ModelConfigBuilder(this);
  }

  /**
   * A LLaMA configuration to start from: no biases, untied, theta 10,000, epsilon 1e-5, context
   * 2,048. Sizes are set on the builder; kv heads and head width follow from heads and width unless
   * they are set.
   */
  public static ModelConfigBuilder llama() {
    return new ModelConfigBuilder(Architecture.LLAMA);
  }

  /** A GPT-2 configuration to start from: tied, epsilon 1e-5, context 1,024, inner width 4 x. */
  public static ModelConfigBuilder gpt2() {
    return new ModelConfigBuilder(Architecture.GPT2);
  }
}
