package dev.distillery.model.format;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;

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
 * @param kvHeads key and value heads of a layer; divides {@code heads}, equal to it in GPT
 * @param headDim width of one head; {@code heads * headDim} may differ from {@code hiddenSize}
 *     except in GPT
 * @param maxPositions longest context; rows of the position embedding where it is learned
 * @param normEps epsilon of RMSNorm or LayerNorm
 * @param ropeTheta base of the rotary frequencies; unused where positions are learned
 * @param localRopeTheta base in layers that see a window, where it is another: ropeScaling is then
 *     of the other layers only
 * @param ropeScaling how the frequencies are stretched, where they are
 * @param window tokens that a query of a local layer sees, itself among them; 0 where none is local
 * @param layerKinds of each layer
 * @param scales constants that the model multiplies by
 * @param tieEmbeddings whether the output head is the token embedding
 * @param attentionBias whether attention's projections have biases (always in GPT; see {@link
 *     LayerShape#outputBias})
 * @param mlpBias whether the MLP's projections have biases (always in GPT)
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
    OptionalDouble localRopeTheta,
    Optional<RopeScaling> ropeScaling,
    int window,
    List<LayerKind> layerKinds,
    Scales scales,
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
  static final int MAX_LAYERS = 1 << 10;
  private static final int MAX_POSITIONS = 1 << 24;

  public ModelConfig {
    Objects.requireNonNull(architecture, "architecture");
    Objects.requireNonNull(ropeScaling, "ropeScaling");
    Objects.requireNonNull(localRopeTheta, "localRopeTheta");
    Objects.requireNonNull(activation, "activation");
    layerKinds = List.copyOf(layerKinds);
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
    if (layers <= MAX_LAYERS && layerKinds.size() != Math.max(0, layers)) {
      violations.add(
          "Each of " + layers + " layers needs a kind, and there are " + layerKinds.size());
    }
    if (layerKinds.stream().anyMatch(LayerKind::local)) {
      range(violations, "sliding_window", window, 1, maxPositions);
    } else if (window != 0) {
      violations.add("sliding_window is " + window + ", but no layer is local");
    }
    if (!(scales.embedding() > 0 && scales.attention() > 0)
        || !(scales.residual() > 0 && scales.logits() > 0)) {
      violations.add("Scales must be positive: " + scales);
    }
    if (architecture.shape().rotary()) {
      if (headDim % 2 != 0) {
        violations.add("head_dim must be even for rotary positions: " + headDim);
      }
      theta(violations, ropeTheta);
      localRopeTheta.ifPresent(theta -> theta(violations, theta));
    } else {
      if (kvHeads != heads || (long) heads * headDim != hiddenSize) {
        violations.add(
            "GPT needs kv heads = heads and heads x head_dim = hidden_size: %s, %s, %s, %s"
                .formatted(heads, kvHeads, headDim, hiddenSize));
      }
      if (!attentionBias || !mlpBias || ropeScaling.isPresent()) {
        violations.add("GPT has biases everywhere and no rotary positions");
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

  private static void theta(List<String> violations, double theta) {
    if (!(theta > 1 && theta <= 1e12)) {
      violations.add("rope_theta must be in (1, 1e12]: " + theta);
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

  /** Values that one norm of queries covers: a head, or all; see {@link LayerShape.HeadNorm}. */
  public int queryNormWidth() {
    return architecture.shape().headNorm() == LayerShape.HeadNorm.WIDTH ? queryWidth() : headDim;
  }

  /** Values that one norm of keys covers. */
  public int keyNormWidth() {
    return architecture.shape().headNorm() == LayerShape.HeadNorm.WIDTH ? kvWidth() : headDim;
  }

  /** Outputs of each of {@link TensorNames#attentionIn}. */
  public List<Integer> attentionOutputs() {
    return architecture.names().attentionIn().size() == 1
        ? List.of(queryWidth() + 2 * kvWidth())
        : List.of(queryWidth(), kvWidth(), kvWidth());
  }

  /** Outputs of each of {@link TensorNames#mlpIn}. */
  public List<Integer> mlpOutputs() {
    int modules = architecture.names().mlpIn().size();
    int both = architecture.shape().gated() ? 2 * intermediateSize : intermediateSize;
    return Collections.nCopies(modules, both / modules);
  }

  /** All parameters, a tied head counted once. */
  public long parameterCount() {
    return ModelTensors.of(this).stream().mapToLong(TensorSpec::elements).sum();
  }

  /**
   * The angular frequency of each pair of a rotated head, stretched where the model says so: {@code
   * headDim / 2} values, radians per position.
   *
   * @param local of the layers that see a window
   */
  public double[] ropeFrequencies(boolean local) {
    double theta = local ? localRopeTheta.orElse(ropeTheta) : ropeTheta;
    return ropeScaling(local)
        .map(scaling -> scaling.frequencies(theta, headDim))
        .orElseGet(() -> RopeScaling.unscaled(theta, headDim));
  }

  /** What cosines and sines of rotary positions are multiplied by. */
  public double ropeMagnitude(boolean local) {
    return ropeScaling(local).map(RopeScaling::magnitude).orElse(1.0);
  }

  private Optional<RopeScaling> ropeScaling(boolean local) {
    return local && localRopeTheta.isPresent() ? Optional.empty() : ropeScaling;
  }

  /** A builder that starts at this configuration. */
  public ModelConfigBuilder toBuilder() {
    return new ModelConfigBuilder(this);
  }

  /**
   * A configuration to start from: no biases but where the family always has them, untied but in
   * GPT, theta 10,000, epsilon 1e-5, no windows. Sizes are set on the builder; what follows from
   * them (kv heads, head width, scales, GPT's inner width of 4 x) need not be.
   */
  public static ModelConfigBuilder of(Architecture architecture) {
    return new ModelConfigBuilder(architecture);
  }

  /** {@link #of} LLaMA, with a context of 2,048. */
  public static ModelConfigBuilder llama() {
    return of(Architecture.LLAMA);
  }

  /** {@link #of} GPT-2: tied, with a context of 1,024. */
  public static ModelConfigBuilder gpt2() {
    return of(Architecture.GPT2);
  }
}
