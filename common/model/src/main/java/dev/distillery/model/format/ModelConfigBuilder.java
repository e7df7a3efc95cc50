package dev.distillery.model.format;

import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** Builds a {@link ModelConfig}; see its components for meaning and units. */
public final class ModelConfigBuilder {
  private final Architecture architecture;
  private int vocabSize = 32_000;
  private int hiddenSize;
  private int intermediateSize;
  private int layers;
  private int heads;
  private int kvHeads;
  private int headDim;
  private int maxPositions;
  private double normEps = 1e-5;
  private double ropeTheta = 10_000;
  private OptionalDouble localRopeTheta = OptionalDouble.empty();
  private Optional<RopeScaling> ropeScaling = Optional.empty();
  private int window;
  private List<LayerKind> layerKinds = List.of();
  private double embeddingScale;
  private double attentionScale;
  private double residualScale = 1;
  private double logitScale = 1;
  private boolean tieEmbeddings;
  private boolean attentionBias;
  private boolean mlpBias;
  private Activation activation;
  private double initializerRange = 0.02;
  private int labels;
  private double scoreBias;

  ModelConfigBuilder(Architecture architecture) {
    this.architecture = architecture;
    boolean gpt = !architecture.shape().rotary();
    this.vocabSize = gpt ? 50_257 : 32_000;
    this.maxPositions = gpt ? 1024 : 2048;
    this.tieEmbeddings = gpt;
    this.attentionBias = gpt || architecture == Architecture.QWEN2;
    this.mlpBias = gpt;
    this.activation =
        gpt || architecture == Architecture.GEMMA3 ? Activation.GELU_TANH : Activation.SILU;
  }

  ModelConfigBuilder(ModelConfig from) {
    this.architecture = from.architecture();
    this.vocabSize = from.vocabSize();
    this.hiddenSize = from.hiddenSize();
    this.intermediateSize = from.intermediateSize();
    this.layers = from.layers();
    this.heads = from.heads();
    this.kvHeads = from.kvHeads();
    this.headDim = from.headDim();
    this.maxPositions = from.maxPositions();
    this.normEps = from.normEps();
    this.ropeTheta = from.ropeTheta();
    this.localRopeTheta = from.localRopeTheta();
    this.ropeScaling = from.ropeScaling();
    this.window = from.window();
    // Layers of one kind are counted again, in case their number changes.
    this.layerKinds =
        from.layerKinds().equals(kinds(from.layers())) ? List.of() : from.layerKinds();
    this.embeddingScale = from.scales().embedding();
    this.attentionScale = from.scales().attention();
    this.residualScale = from.scales().residual();
    this.logitScale = from.scales().logits();
    this.tieEmbeddings = from.tieEmbeddings();
    this.attentionBias = from.attentionBias();
    this.mlpBias = from.mlpBias();
    this.activation = from.activation();
    this.initializerRange = from.initializerRange();
    this.labels = from.labels();
    this.scoreBias = from.scoreBias();
  }

  public ModelConfigBuilder vocabSize(int value) {
    vocabSize = value;
    return this;
  }

  public ModelConfigBuilder hiddenSize(int value) {
    hiddenSize = value;
    return this;
  }

  /** Default: four times the hidden size in GPT; elsewhere it must be set. */
  public ModelConfigBuilder intermediateSize(int value) {
    intermediateSize = value;
    return this;
  }

  public ModelConfigBuilder layers(int value) {
    layers = value;
    return this;
  }

  public ModelConfigBuilder heads(int value) {
    heads = value;
    return this;
  }

  /** Default: as many as query heads. */
  public ModelConfigBuilder kvHeads(int value) {
    kvHeads = value;
    return this;
  }

  /** Default: hidden size / heads. */
  public ModelConfigBuilder headDim(int value) {
    headDim = value;
    return this;
  }

  public ModelConfigBuilder maxPositions(int value) {
    maxPositions = value;
    return this;
  }

  public ModelConfigBuilder normEps(double value) {
    normEps = value;
    return this;
  }

  public ModelConfigBuilder ropeTheta(double value) {
    ropeTheta = value;
    return this;
  }

  /** Of local layers; default: as of the others. */
  public ModelConfigBuilder localRopeTheta(double value) {
    localRopeTheta = OptionalDouble.of(value);
    return this;
  }

  /** Default: 0, no window. */
  public ModelConfigBuilder window(int value) {
    window = value;
    return this;
  }

  /** Default: all local where there is a window, else all full. */
  public ModelConfigBuilder layerKinds(List<LayerKind> value) {
    layerKinds = List.copyOf(value);
    return this;
  }

  /** Default: 1; the root of the hidden size in Gemma. */
  public ModelConfigBuilder embeddingScale(double value) {
    embeddingScale = value;
    return this;
  }

  /** Default: 1 / sqrt(head width). */
  public ModelConfigBuilder attentionScale(double value) {
    attentionScale = value;
    return this;
  }

  public ModelConfigBuilder residualScale(double value) {
    residualScale = value;
    return this;
  }

  public ModelConfigBuilder logitScale(double value) {
    logitScale = value;
    return this;
  }

  public ModelConfigBuilder ropeScaling(Optional<RopeScaling> value) {
    ropeScaling = value;
    return this;
  }

  public ModelConfigBuilder tieEmbeddings(boolean value) {
    tieEmbeddings = value;
    return this;
  }

  public ModelConfigBuilder attentionBias(boolean value) {
    attentionBias = value;
    return this;
  }

  public ModelConfigBuilder mlpBias(boolean value) {
    mlpBias = value;
    return this;
  }

  public ModelConfigBuilder activation(Activation value) {
    activation = value;
    return this;
  }

  public ModelConfigBuilder initializerRange(double value) {
    initializerRange = value;
    return this;
  }

  public ModelConfigBuilder labels(int value) {
    labels = value;
    return this;
  }

  public ModelConfigBuilder scoreBias(double value) {
    scoreBias = value;
    return this;
  }

  /**
   * The configuration.
   *
   * @throws IllegalArgumentException listing every component that is out of range
   */
  public ModelConfig build() {
    boolean gpt = !architecture.shape().rotary();
    int width = headDim == 0 && heads > 0 ? hiddenSize / heads : headDim;
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        intermediateSize == 0 && gpt ? 4 * hiddenSize : intermediateSize,
        layers,
        heads,
        kvHeads == 0 ? heads : kvHeads,
        width,
        maxPositions,
        normEps,
        ropeTheta,
        localRopeTheta,
        ropeScaling,
        window,
        layerKinds.isEmpty() ? kinds(layers) : layerKinds,
        scales(width),
        tieEmbeddings,
        attentionBias,
        mlpBias,
        activation,
        initializerRange,
        labels,
        scoreBias);
  }

  private List<LayerKind> kinds(int count) {
    // A lying number of layers is refused for itself, and costs no memory here.
    int bounded = Math.max(0, Math.min(count, ModelConfig.MAX_LAYERS));
    return Collections.nCopies(bounded, window > 0 ? LayerKind.LOCAL : LayerKind.FULL);
  }

  private Scales scales(int headWidth) {
    double embedding = architecture == Architecture.GEMMA3 ? Math.sqrt(hiddenSize) : 1;
    return new Scales(
        embeddingScale == 0 ? embedding : embeddingScale,
        attentionScale == 0 ? 1 / Math.sqrt(headWidth) : attentionScale,
        residualScale,
        logitScale);
  }
}
