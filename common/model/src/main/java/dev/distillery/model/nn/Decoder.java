package dev.distillery.model.nn;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.format.ModelConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * A decoder of any {@link dev.distillery.model.format.Architecture}: forward and backward over a
 * batch for training, and step by step with cached keys and values for decoding. One thread at a
 * time.
 */
public final class Decoder implements AutoCloseable {
  private static final int EMBEDDING_SITE = -1;

  private final ModelConfig config;
  private final DecoderLayout layout;
  private final Kernels kernels;
  private final Parameters parameters;
  private final @Nullable LoraConfig lora;
  private final boolean recompute;
  private final Workspace workspace;
  private final List<Block> blocks = new ArrayList<>();
  private final @Nullable Norm finalNorm;
  private final @Nullable PackedWeights packed;

  /** Trained rows of the embedding, and of the head: the same where that is the embedding. */
  private final @Nullable TrainedRows embeddingRows;

  private final @Nullable TrainedRows headRows;
  private boolean adaptersEnabled = true;
  private @Nullable Forward last;

  private record Forward(Batch batch, Block.Pass pass, List<Tensor> inputs) {}

  /**
   * A decoder over weights that stay the caller's.
   *
   * @param lora the adapters among the parameters, if there are any
   * @param recompute keeps only each layer's input of a forward pass and computes the rest again in
   *     the backward pass: about a third more work, a fraction of the memory
   */
  public Decoder(
      ModelConfig config,
      Kernels kernels,
      Parameters parameters,
      Optional<LoraConfig> lora,
      boolean recompute) {
    this(config, kernels, parameters, lora.orElse(null), recompute, null);
  }

  /** A decoder for generation only, whose matrices lie in {@code packed}. */
  Decoder(ModelConfig config, Kernels kernels, Parameters parameters, PackedWeights packed) {
    this(config, kernels, parameters, null, false, packed);
  }

  private Decoder(
      ModelConfig config,
      Kernels kernels,
      Parameters parameters,
      @Nullable LoraConfig lora,
      boolean recompute,
      @Nullable PackedWeights packed) {
    this.config = config;
    this.layout = new DecoderLayout(config);
    this.kernels = kernels;
    this.parameters = parameters;
    this.lora = lora;
    this.recompute = recompute;
    this.packed = packed;
    this.workspace = new Workspace(kernels);
    for (int i = 0; i < config.layers(); i++) {
      blocks.add(new Block(config, kernels, workspace, parameters, lora, i));
    }
    this.finalNorm =
        layout.finalNorm().isEmpty()
            ? null
            : new Norm(
                kernels,
                workspace,
                parameters,
                layout.finalNorm(),
                config.architecture().shape().norm(),
                config.normEps());
    List<String> modules =
        lora == null || lora.tokens().isEmpty() ? List.of() : DecoderLayout.tokenModules(config);
    this.embeddingRows = modules.isEmpty() ? null : rows(modules.get(0));
    this.headRows =
        modules.size() == 2 ? rows(modules.get(1)) : config.tieEmbeddings() ? embeddingRows : null;
  }

  private TrainedRows rows(String module) {
    List<Integer> tokens = lora == null ? List.of() : lora.tokens();
    return new TrainedRows(kernels, workspace, parameters, DecoderLayout.tokenRows(module), tokens);
  }

  /** The shape. */
  public ModelConfig config() {
    return config;
  }

  /** What computes. */
  public Kernels kernels() {
    return kernels;
  }

  /** The weights. */
  public Parameters parameters() {
    return parameters;
  }

  /** Switches the adapters off, which gives the base model, or on again. */
  public void enableAdapters(boolean enabled) {
    adaptersEnabled = enabled;
  }

  /**
   * Adds scale B A to each adapted matrix, and changes trained rows for the model's own. Switch the
   * adapters off afterwards.
   */
  public void mergeAdapters() {
    addAdapters(1);
  }

  /** Takes away again what {@link #mergeAdapters} added, up to rounding. */
  public void unmergeAdapters() {
    addAdapters(-1);
  }

  private void addAdapters(double sign) {
    if (lora == null) {
      throw new IllegalStateException("The student has no adapters");
    }
    blocks.forEach(block -> block.addAdapters(sign));
    if (embeddingRows != null) {
      embeddingRows.swap(parameters.get(layout.embedding()));
    }
    if (headRows != null && headRows != embeddingRows) {
      headRows.swap(parameters.get(layout.head()));
    }
  }

  /**
   * Runs a batch and keeps what {@link #backward} needs, until the next call.
   *
   * @return the final norm's output [tokens, hidden], valid until the next call
   */
  public Tensor forward(Batch batch, Dropout dropout) {
    check(batch.ids(), batch.positions());
    int n = batch.tokens();
    AttentionPlan plan = plan(batch.starts(), batch.counts(), batch.starts(), batch.counts());
    Block.Pass pass = pass(plan, batch.positions(), dropout, batch.tokenKeys(dropout.key()));
    List<Tensor> inputs = new ArrayList<>();
    Tensor x = workspace.get("x.0", n, config.hiddenSize());
    embed(x, batch.ids(), batch.positions());
    if (dropout.residual() > 0) {
      kernels.dropout(x, dropout.residual(), keys(pass.linear().tokenKeys(), EMBEDDING_SITE));
    }
    for (int i = 0; i < blocks.size(); i++) {
      Tensor out = workspace.get("x." + (i + 1), n, config.hiddenSize());
      inputs.add(x);
      blocks.get(i).forward(out, saved(i, x), pass);
      x = out;
    }
    inputs.add(x);
    last = new Forward(batch, pass, inputs);
    Tensor hidden = workspace.get("hidden", n, config.hiddenSize());
    normalise(hidden, x);
    return hidden;
  }

  private void normalise(Tensor hidden, Tensor x) {
    if (finalNorm == null) {
      kernels.copy(hidden, x);
    } else {
      finalNorm.forward(hidden, x);
    }
  }

  /**
   * Adds the gradient of the last {@link #forward}. Nothing is computed below the lowest trained
   * layer.
   *
   * @param dHidden gradient of what it returned
   */
  public void backward(Tensor dHidden, Gradients gradients) {
    Forward forward = last;
    if (forward == null) {
      throw new IllegalStateException("Backward needs a forward pass first");
    }
    last = null;
    int lowest = lowestTrained(gradients);
    if (lowest > blocks.size()) {
      return;
    }
    Tensor dx = workspace.get("dx", dHidden.rows(), config.hiddenSize());
    if (finalNorm == null) {
      kernels.copy(dx, dHidden);
    } else {
      kernels.fill(dx, 0);
      finalNorm.backward(dx, dHidden, forward.inputs.get(blocks.size()), gradients);
    }
    for (int i = blocks.size() - 1; i >= Math.max(0, lowest); i--) {
      Block.Saved saved = saved(i, forward.inputs.get(i));
      if (recompute) {
        blocks
            .get(i)
            .forward(workspace.get("recomputed", dx.rows(), dx.columns()), saved, forward.pass);
      }
      blocks.get(i).backward(dx, saved, forward.pass, gradients, lowest < i);
    }
    if (lowest < 0) {
      embedBackward(dx, forward, gradients);
    }
  }

  private Block.Saved saved(int layer, Tensor x) {
    return blocks.get(layer).saved(x, recompute ? "layer." : "layer." + layer + ".");
  }

  /**
   * The lowest layer that is trained; -1 for the embeddings, one past the layers for their norm.
   */
  private int lowestTrained(Gradients gradients) {
    if (gradients.wants(layout.embedding())
        || (embeddingRows != null && embeddingRows.trained(gradients))
        || (learnedPositions() && gradients.wants(layout.positions()))) {
      return -1;
    }
    for (int i = 0; i < blocks.size(); i++) {
      if (trained(i, gradients)) {
        return i;
      }
    }
    boolean norm = finalNorm != null && finalNorm.trained(gradients);
    return norm ? blocks.size() : blocks.size() + 1;
  }

  private boolean trained(int layer, Gradients gradients) {
    String owner = layout.layer(layer);
    return gradients.space().slots().stream().anyMatch(s -> s.name().contains(owner));
  }

  private void embed(Tensor x, int[] ids, int[] positions) {
    if (packed != null) {
      packed.embed(x, ids);
    } else if (parameters.stored().slot(layout.embedding()).isPresent()) {
      List<Stored> table = parameters.stored().slot(layout.embedding()).orElseThrow();
      StoredWeights.gather(kernels, x, table, ids);
    } else {
      gather(x, layout.embedding(), ids);
    }
    if (embeddingRows != null && adaptersEnabled) {
      embeddingRows.embed(x, ids);
    }
    if (config.scales().embedding() != 1) {
      kernels.scale(x, config.scales().embedding());
    }
    if (learnedPositions()) {
      Tensor position = workspace.get("position", x.rows(), x.columns());
      gather(position, layout.positions(), positions);
      kernels.add(x, position, 1);
    }
  }

  private void gather(Tensor out, String table, int[] rows) {
    try (Ids ids = kernels.ids(rows)) {
      kernels.gather(out, parameters.get(table), ids);
    }
  }

  private void scatterAdd(Tensor table, int[] rows, Tensor x) {
    try (Ids ids = kernels.ids(rows)) {
      kernels.scatterAdd(table, ids, x);
    }
  }

  private void embedBackward(Tensor dx, Forward forward, Gradients gradients) {
    Linear.Pass pass = forward.pass.linear();
    if (pass.dropout().residual() > 0) {
      kernels.dropout(dx, pass.dropout().residual(), keys(pass.tokenKeys(), EMBEDDING_SITE));
    }
    if (learnedPositions()) {
      gradients
          .add(layout.positions())
          .ifPresent(table -> scatterAdd(table, forward.batch.positions(), dx));
    }
    if (config.scales().embedding() != 1) {
      kernels.scale(dx, config.scales().embedding());
    }
    gradients
        .add(layout.embedding())
        .ifPresent(table -> scatterAdd(table, forward.batch.ids(), dx));
    if (embeddingRows != null && adaptersEnabled) {
      embeddingRows.embedBackward(dx, forward.batch.ids(), gradients);
    }
  }

  private boolean learnedPositions() {
    return !config.architecture().shape().rotary();
  }

  /** out = the output head's logits of hidden rows. */
  public void logits(Tensor out, Tensor hidden) {
    multiplyHead(out, hidden, true);
    if (headRows != null && adaptersEnabled) {
      headRows.logits(out, hidden, headScale());
    }
  }

  /** As {@link #logits}, of a language model, from packed weights. */
  public void logits(Tensor out, Tensor hidden, PackedWeights weights) {
    kernels.project(out, hidden, weights.head());
    if (headScale() != 1) {
      kernels.scale(out, headScale());
    }
    if (headRows != null && adaptersEnabled) {
      headRows.project(out, hidden, headScale());
    }
  }

  private double headScale() {
    return config.labels() > 0 ? 1 : config.scales().logits();
  }

  /** The gradient of {@link #logits}: sets dHidden and adds to the head's weights. */
  public void logitsBackward(Tensor dHidden, Tensor dLogits, Tensor hidden, Gradients gradients) {
    if (headRows != null && adaptersEnabled) {
      headRows.logitsBackward(
          dHidden,
          dLogits,
          hidden,
          headScale(),
          gradients,
          () -> multiplyHead(dHidden, dLogits, false));
    } else {
      multiplyHead(dHidden, dLogits, false);
    }
    gradients.addProduct(layout.head(), dLogits, true, hidden, false, headScale());
  }

  private void multiplyHead(Tensor out, Tensor x, boolean transpose) {
    Optional<List<Stored>> head = parameters.stored().slot(layout.head());
    if (head.isPresent()) {
      StoredWeights.multiply(kernels, workspace, out, x, head.get(), transpose, 0);
      if (headScale() != 1) {
        kernels.scale(out, headScale());
      }
    } else {
      kernels.matmul(out, x, false, parameters.get(layout.head()), transpose, headScale(), 0);
    }
  }

  /** An empty cache for this decoder. */
  public KeyValueCache cache(int sequences, int capacity) {
    return new KeyValueCache(kernels, config.layers(), config.kvWidth(), sequences, capacity);
  }

  /** Whether the decoder only generates: its matrices lie packed, there is nothing to train. */
  public boolean generatesOnly() {
    return packed != null;
  }

  /**
   * The weights as they lie for decoding. Float32 ones are views of the parameters, GPT-2's are
   * transposed copies: pack again after training.
   */
  public PackedWeights pack() {
    return packed != null ? packed : PackedWeights.of(config, kernels, parameters);
  }

  /**
   * Runs new tokens of some sequences on top of what the cache holds, and adds them to it.
   *
   * @param sequences the cache's sequences; one comes again with tokens that follow
   * @param tokens new tokens of each of them, at least one
   * @param weights what to decode from; the bits of an entry then depend on no other, and tokens of
   *     one sequence that come in several get those of as many calls. Null computes whole products
   *     of the unpacked weights, which is faster for long prompts
   * @return the final norm's output of all new tokens, valid until the next call
   * @throws CancellationException between two layers, where the thread is interrupted: a prompt may
   *     take a large model longer than a stop may wait. The cache is then of no more use
   */
  public Tensor extend(
      KeyValueCache cache, int[] sequences, int[][] tokens, @Nullable PackedWeights weights) {
    int n = 0;
    for (int[] t : tokens) {
      n += t.length;
    }
    int[] ids = new int[n];
    int[] positions = new int[n];
    int[] cacheRows = new int[n];
    int[] queryStarts = new int[sequences.length];
    int[] queryCounts = new int[sequences.length];
    int[] keyStarts = new int[sequences.length];
    int[] keyCounts = new int[sequences.length];
    int at = 0;
    int[] lengths = new int[cache.sequences()];
    Arrays.setAll(lengths, cache::length);
    for (int s = 0; s < sequences.length; s++) {
      int length = lengths[sequences[s]];
      if (length + tokens[s].length > cache.capacity()) {
        throw new IllegalArgumentException(
            "A sequence of %s tokens and %s more does not fit the cache of %s"
                .formatted(length, tokens[s].length, cache.capacity()));
      }
      queryStarts[s] = at;
      queryCounts[s] = tokens[s].length;
      keyStarts[s] = cache.row(sequences[s], 0);
      keyCounts[s] = length + tokens[s].length;
      lengths[sequences[s]] = keyCounts[s];
      for (int i = 0; i < tokens[s].length; i++, at++) {
        ids[at] = tokens[s][i];
        positions[at] = length + i;
        cacheRows[at] = cache.row(sequences[s], length + i);
      }
    }
    check(ids, positions);
    AttentionPlan plan = plan(queryStarts, queryCounts, keyStarts, keyCounts);
    Block.Pass pass = pass(plan, positions, Dropout.NONE, new long[0]);
    Tensor x = workspace.get("infer.x", n, config.hiddenSize());
    embed(x, ids, positions);
    try (Ids rows = kernels.ids(cacheRows)) {
      for (int i = 0; i < blocks.size(); i++) {
        if (Thread.currentThread().isInterrupted()) {
          throw new CancellationException("Told to end before layer " + i);
        }
        blocks
            .get(i)
            .infer(
                x,
                cache.keys(i),
                cache.values(i),
                rows,
                pass,
                weights == null ? null : weights.layer(i));
      }
    }
    for (int s = 0; s < sequences.length; s++) {
      cache.append(sequences[s], tokens[s].length);
    }
    Tensor hidden = workspace.get("infer.hidden", n, config.hiddenSize());
    normalise(hidden, x);
    return hidden;
  }

  private AttentionPlan plan(
      int[] queryStarts, int[] queryCounts, int[] keyStarts, int[] keyCounts) {
    return new AttentionPlan(
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.scales().attention(),
        AttentionPlan.NO_WINDOW,
        queryStarts,
        queryCounts,
        keyStarts,
        keyCounts);
  }

  private Block.Pass pass(AttentionPlan plan, int[] positions, Dropout dropout, long[] tokenKeys) {
    Linear.Pass linear = new Linear.Pass(dropout, lora != null && adaptersEnabled, tokenKeys);
    AttentionPlan local = config.window() == 0 ? plan : plan.window(config.window());
    if (learnedPositions()) {
      return new Block.Pass(linear, plan, local, null, null);
    }
    Block.Rotation rotation = rotation("", positions, false);
    Block.Rotation localRotation =
        config.localRopeTheta().isEmpty() ? rotation : rotation("local.", positions, true);
    return new Block.Pass(linear, plan, local, rotation, localRotation);
  }

  private Block.Rotation rotation(String owner, int[] positions, boolean local) {
    double[] frequencies = config.ropeFrequencies(local);
    double magnitude = config.ropeMagnitude(local);
    int half = frequencies.length;
    float[] cos = new float[positions.length * half];
    float[] sin = new float[positions.length * half];
    for (int i = 0; i < positions.length; i++) {
      for (int j = 0; j < half; j++) {
        // Frequency and angle are rounded to float32, as in every published implementation.
        float angle = positions[i] * (float) frequencies[j];
        cos[i * half + j] = (float) (magnitude * Math.cos(angle));
        sin[i * half + j] = (float) (magnitude * Math.sin(angle));
      }
    }
    Tensor cosines = workspace.get(owner + "cos", positions.length, half);
    Tensor sines = workspace.get(owner + "sin", positions.length, half);
    cosines.write(cos);
    sines.write(sin);
    return new Block.Rotation(cosines, sines);
  }

  private void check(int[] ids, int[] positions) {
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= config.vocabSize()) {
        throw new IllegalArgumentException(
            "Token id %s is not in the vocabulary of %s".formatted(ids[i], config.vocabSize()));
      }
      if (positions[i] < 0 || positions[i] >= config.maxPositions()) {
        throw new IllegalArgumentException(
            "Position %s is beyond the model's context of %s: shorten the text"
                .formatted(positions[i], config.maxPositions()));
      }
    }
  }

  static long[] keys(long[] tokenKeys, long site) {
    long[] keys = new long[tokenKeys.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = CounterRandom.key(tokenKeys[i], site);
    }
    return keys;
  }

  /** Frees the scratch memory; the weights are the caller's. */
  @Override
  public void close() {
    workspace.close();
  }
}
