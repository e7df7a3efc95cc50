package dev.distillery.model.format;

import java.util.Optional;

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
  private Optional<RopeScaling> ropeScaling = Optional.empty();
  private boolean tieEmbeddings;
  private boolean attentionBias;
  private boolean mlpBias;
  private Activation activation;
  private double initializerRange = 0.02;
  private int labels;
  private double scoreBias;

  ModelConfigBuilder(Architecture architecture) {
    this.architecture = architecture;
    boolean gpt2 = architecture == Architecture.GPT2;
    this.vocabSize = gpt2 ? 50_257 : 32_000;
    this.maxPositions = gpt2 ? 1024 : 2048;
    this.tieEmbeddings = gpt2;
    this.attentionBias = gpt2;
    this.mlpBias = gpt2;
    this.activation = gpt2 ? Activation.GELU_TANH : Activation.SILU;
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
    this.ropeScaling = from.ropeScaling();
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

  /** Default: four times the hidden size in GPT-2; must be set in LLaMA. */
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
    boolean gpt2 = architecture == Architecture.GPT2;
    return new ModelConfig(
        architecture,
        vocabSize,
        hiddenSize,
        intermediateSize == 0 && gpt2 ? 4 * hiddenSize : intermediateSize,
        layers,
        heads,
        kvHeads == 0 ? heads : kvHeads,
        headDim == 0 && heads > 0 ? hiddenSize / heads : headDim,
        maxPositions,
        normEps,
        ropeTheta,
        ropeScaling,
        tieEmbeddings,
        attentionBias,
        mlpBias,
        activation,
        initializerRange,
        labels,
        scoreBias);
  }
}
