package dev.distillery.model.format;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What a model costs before anything is allocated: memory to hold it, to run it and to train it;
 * operations, hours and dollars of a training run. Arithmetic on the configuration only.
 *
 * <p>Operations of training, a token: 6 N for the weights that are multiplied (forward 2 N,
 * backward 4 N) and 12 L Q T for attention, with L layers, Q the heads' width together and T the
 * sequence (PaLM, arXiv 2204.02311, appendix B). With only adapters trained the weights' own
 * gradient is left out: 4 N.
 */
public final class ModelEstimate {
  /** Values of logits that lie in memory at once in training. */
  private static final long LOGITS_AT_ONCE = 1 << 24;

  private final ModelConfig config;

  private ModelEstimate(ModelConfig config) {
    this.config = config;
  }

  public static ModelEstimate of(ModelConfig config) {
    return new ModelEstimate(config);
  }

  /** What is trained. */
  public enum Trained {
    /** All weights: gradient and two moments of each are kept. */
    FULL,
    /** Adapters of negligible size. */
    ADAPTERS
  }

  /** Parameters, a tied head once. */
  public long parameters() {
    return config.parameterCount();
  }

  /**
   * Weights that each token is multiplied by: all matrices of the blocks, and the head; not the
   * embedding, which is looked up, nor learned positions.
   */
  public long multipliedParameters() {
    long lookedUp = config.tieEmbeddings() && config.labels() == 0 ? 0 : embedding();
    long positions =
        !config.architecture().shape().rotary()
            ? (long) config.maxPositions() * config.hiddenSize()
            : 0;
    return parameters() - lookedUp - positions;
  }

  private long embedding() {
    return (long) config.vocabSize() * config.hiddenSize();
  }

  /** Bytes of the weights at so many bytes a value. */
  public long weightBytes(double bytesPerValue) {
    return Math.round(parameters() * bytesPerValue);
  }

  /** Bytes of keys and values, float32, of so many sequences of so many tokens. */
  public long cacheBytes(int sequences, int tokens) {
    return 2L * config.layers() * config.kvWidth() * sequences * tokens * Float.BYTES;
  }

  /**
   * Bytes of a training step in float32, without recomputation of activations: weights; gradients
   * and AdamW's two moments of what is trained; what each layer keeps for the backward pass; logits
   * and their gradient.
   *
   * @param sequences in one micro-batch
   * @param tokens of each
   */
  public long trainingBytes(Trained trained, int sequences, int tokens) {
    long copies = trained == Trained.FULL ? 4 : 1;
    long positions = Math.multiplyExact((long) sequences, tokens);
    // A layer keeps its input, both norms' outputs, q, k, v, the attended values, the residual and
    // what the MLP has inside: gate, up and their product, or the input and output of GELU.
    int inner = config.architecture().shape().gated() ? 3 : 2;
    long perPosition =
        4L * config.hiddenSize()
            + 2L * config.queryWidth()
            + 2L * config.kvWidth()
            + (long) inner * config.intermediateSize();
    long scores = (long) config.heads() * tokens;
    long logits = config.labels() > 0 ? config.labels() : 2L * config.vocabSize();
    return Float.BYTES
        * (copies * parameters() + positions * (config.layers() * (perPosition + scores) + logits));
  }

  /**
   * Bytes of what our own training step keeps for the backward pass, float32, and of logits. Scores
   * of attention are computed again there, and logits lie in memory a chunk at a time.
   *
   * @param sequences in one micro-batch
   * @param tokens of each
   * @param recompute whether only each layer's input is kept
   */
  public long activationBytes(int sequences, int tokens, boolean recompute) {
    long positions = Math.multiplyExact((long) sequences, tokens);
    int inner = config.architecture().shape().gated() ? 3 : 2;
    long perLayer =
        4L * config.hiddenSize()
            + 2L * config.queryWidth()
            + 2L * config.kvWidth()
            + config.heads()
            + (long) inner * config.intermediateSize();
    long kept =
        recompute
            ? (long) config.layers() * config.hiddenSize() + perLayer
            : config.layers() * perLayer;
    // The backward pass holds the gradients of one layer, and of what goes between layers.
    long backward = perLayer + 3L * config.hiddenSize();
    long logits =
        config.labels() > 0
            ? positions * config.labels()
            : Math.min(positions * config.vocabSize(), LOGITS_AT_ONCE);
    return Float.BYTES * (positions * (kept + backward) + 2 * logits);
  }

  /** Operations of a forward pass, a token, in sequences of this length. */
  public double forwardFlopsPerToken(int tokens) {
    return 2.0 * multipliedParameters() + 4.0 * config.layers() * config.queryWidth() * tokens;
  }

  /** Operations of a training step, a token, in sequences of this length. */
  public double trainingFlopsPerToken(Trained trained, int tokens) {
    double attention = 12.0 * config.layers() * config.queryWidth() * tokens;
    return (trained == Trained.FULL ? 6.0 : 4.0) * multipliedParameters() + attention;
  }

  /**
   * A run's size and price.
   *
   * @param flops operations
   * @param hours on the machine
   * @param dollars for renting it so long
   * @param fits whether a step of one sequence fits into the machine's memory, weights, gradients
   *     and moments spread over its devices
   */
  public record Cost(double flops, double hours, double dollars, boolean fits) {}

  /**
   * What it takes to train on so many tokens.
   *
   * @param trainingTokens of all epochs together
   * @param sequenceLength of one sequence
   */
  public Cost training(
      Hardware hardware, Trained trained, double trainingTokens, int sequenceLength) {
    double flops = trainingFlopsPerToken(trained, sequenceLength) * trainingTokens;
    double hours = flops / hardware.flops() / 3600;
    double memory = hardware.devices() * hardware.gibibytes() * (1L << 30);
    boolean fits = trainingBytes(trained, 1, sequenceLength) <= memory;
    return new Cost(flops, hours, hours * hardware.dollarsPerHour(), fits);
  }

  /** How many tokens a machine trains on in so many hours. */
  public double tokensIn(Hardware hardware, Trained trained, double hours, int sequenceLength) {
    return hours * 3600 * hardware.flops() / trainingFlopsPerToken(trained, sequenceLength);
  }

  /**
   * A training run that others have published, to set an estimate beside.
   *
   * @param name of the model that came out
   * @param model of {@link ModelConfigs}
   * @param hardware of {@link Hardware#named}
   * @param trainingTokens of all epochs, where they are known or bounded
   * @param sequenceLength of one sequence
   * @param hours as published
   * @param dollars as published, if they were
   * @param source where, and what the tokens rest on
   */
  public record Published(
      String name,
      String model,
      String hardware,
      OptionalDouble trainingTokens,
      int sequenceLength,
      double hours,
      OptionalDouble dollars,
      String source) {

    /** Our hours for the same run; empty where its tokens are not known. */
    public OptionalDouble estimatedHours() {
      return trainingTokens.isEmpty()
          ? OptionalDouble.empty()
          : OptionalDouble.of(
              of(ModelConfigs.named(model))
                  .training(
                      Hardware.named(hardware),
                      Trained.FULL,
                      trainingTokens.getAsDouble(),
                      sequenceLength)
                  .hours());
    }

    /** The share of the machine's peak that the run itself reached, by its published hours. */
    public OptionalDouble utilisation() {
      OptionalDouble estimated = estimatedHours();
      return estimated.isEmpty()
          ? estimated
          : OptionalDouble.of(
              Hardware.named(hardware).utilisation() * estimated.getAsDouble() / hours);
    }
  }

  /** Published runs with their sources. */
  public static List<Published> published() {
    return List.of(
        new Published(
            "Alpaca 7B",
            "llama-7b",
            "8xa100-80gb",
            OptionalDouble.of(3 * 52_002 * 512.0),
            512,
            3,
            OptionalDouble.of(100),
            "Stanford Alpaca, README and blog: 3 hours, under 100 dollars; 52,002 examples, 3 epochs,"
                + " at most 512 tokens each, so that the estimate is an upper bound"),
        new Published(
            "Koala 13B",
            "llama-13b",
            "8xa100-80gb",
            OptionalDouble.empty(),
            2048,
            6,
            OptionalDouble.of(100),
            "Koala, blog of 2023-04-03: 2 epochs in 6 hours, under 100 dollars on preemptible"
                + " instances; its tokens are not published"),
        new Published(
            "llm.c GPT-2 124M",
            "gpt2",
            "8xa100-80gb",
            OptionalDouble.of(10e9),
            1024,
            1.5,
            OptionalDouble.of(20),
            "llm.c, discussion 481: 10 billion tokens in 90 minutes"),
        new Published(
            "llm.c GPT-2 1558M",
            "gpt2-xl",
            "8xh100-80gb",
            OptionalDouble.of(32_000 * 1_048_576.0),
            1024,
            24,
            OptionalDouble.of(672),
            "llm.c, discussion 677: 32,000 steps of 1,048,576 tokens in 24 hours"));
  }
}
