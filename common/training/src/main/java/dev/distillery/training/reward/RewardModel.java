package dev.distillery.training.reward;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.MergedWeights;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ScoreBias;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.training.tokens.AdapterTokenizer;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * A reward model: one number for a prompt with its answer, read at the last token. What is scored
 * must end where the answer ends, as {@link #encoder} writes it.
 *
 * <p>A folder of one is a Hugging Face directory whose architecture ends with {@code
 * ForSequenceClassification} with one label and {@code score.weight}, or an adapter in PEFT's
 * layout that brings {@code score.weight}, merged as it is read into the base that it names. The
 * gain of a normalisation is folded into {@code score.weight}; its bias stands under {@code
 * distillery_score_bias} of config.json, for an adapter of {@code score_bias.json}, and is part of
 * every score here.
 *
 * <p>No dropout. A sequence's score does not depend on what else is scored, to the bit. One thread
 * at a time.
 */
public final class RewardModel implements AutoCloseable {
  private final Path path;
  private final Path base;
  private final ModelConfig config;
  private final Kernels kernels;
  private final Parameters parameters;
  private final Decoder decoder;
  private final float[] head;

  private RewardModel(
      Path path, Path base, ModelConfig config, Kernels kernels, Parameters parameters) {
    this.path = path;
    this.base = base;
    this.config = config;
    this.kernels = kernels;
    this.parameters = parameters;
    this.decoder = new Decoder(config, kernels, parameters, Optional.empty(), true);
    this.head = parameters.get(ModelTensors.SCORE).toArray();
  }

  /**
   * Opens a reward model.
   *
   * @param model directory of the model or of the adapter
   * @param threads that compute; 0 for one a processor
   * @throws ModelFileException if it is none: a language model, a classifier of several labels, a
   *     folder without {@code score.weight}, an adapter whose base is not there
   */
  public static RewardModel open(Path model, int threads) throws IOException {
    return open(model, base(model), threads);
  }

  /**
   * As {@link #open(Path, int)}, where an adapter's base lies elsewhere than it says.
   *
   * @param base the model itself where it is no adapter
   */
  static RewardModel open(Path model, Path base, int threads) throws IOException {
    try (ModelFiles files = ModelFiles.open(base)) {
      ModelConfig config = config(model, files);
      try (WeightSource weights = weights(model, files, config)) {
        if (!weights.weights().containsKey(ModelTensors.SCORE)) {
          throw noHead(model, "it has no " + ModelTensors.SCORE);
        }
        int wanted = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        Kernels kernels = KernelSets.create(wanted);
        Parameters parameters =
            Weights.open(
                config, kernels, weights, Trainable.NONE, Optional.empty(), FrozenForm.FLOAT32, 0);
        return new RewardModel(model, base, config, kernels, parameters);
      }
    }
  }

  /**
   * Refuses what is no reward model, without reading its weights.
   *
   * @return its shape
   * @throws ModelFileException as {@link #open(Path, int)}
   */
  public static ModelConfig check(Path model) throws IOException {
    try (ModelFiles files = ModelFiles.open(base(model))) {
      ModelConfig config = config(model, files);
      try (WeightSource weights = weights(model, files, config)) {
        if (!weights.weights().containsKey(ModelTensors.SCORE)) {
          throw noHead(model, "it has no " + ModelTensors.SCORE);
        }
      }
      return config;
    }
  }

  private static ModelFileException noHead(Path model, String why) {
    return new ModelFileException(
        model,
        "it is no reward model: %s; the job reward trains one, from this model if you like"
            .formatted(why));
  }

  /**
   * The model that a reward model's adapter stands on; the model itself where it is none.
   *
   * @throws ModelFileException if the base is not there
   */
  public static Path base(Path model) throws IOException {
    if (!AdapterFiles.isAdapter(model)) {
      return model;
    }
    try (WeightSource weights = AdapterFiles.read(model).weights()) {
      if (!weights.weights().containsKey(ModelTensors.SCORE)) {
        throw noHead(model, "the adapter brings no " + ModelTensors.SCORE);
      }
    }
    String base = baseName(model);
    if (!Files.exists(Path.of(base))) {
      throw new ModelFileException(
          model,
          "its base '%s' is not there: put it there, or merge the two by the job export"
              .formatted(base));
    }
    return Path.of(base);
  }

  private static String baseName(Path adapter) throws IOException {
    AdapterFiles.Adapter files = AdapterFiles.read(adapter);
    files.weights().close();
    return files.config().baseModel();
  }

  private static ModelConfig config(Path model, ModelFiles base) throws IOException {
    if (AdapterFiles.isAdapter(model)) {
      return base.config().toBuilder().labels(1).scoreBias(ScoreBias.read(model)).build();
    }
    int labels = base.config().labels();
    if (labels == 0) {
      throw noHead(model, "it is a language model without a score head");
    }
    if (labels > 1) {
      throw noHead(model, "it is a classifier of %s labels, and a score is one".formatted(labels));
    }
    return base.config();
  }

  private static WeightSource weights(Path model, ModelFiles base, ModelConfig config)
      throws IOException {
    if (!AdapterFiles.isAdapter(model)) {
      return base.weights();
    }
    AdapterFiles.Adapter adapter = AdapterFiles.read(model);
    try (WeightSource own = adapter.weights()) {
      return MergedWeights.of(config, base.weights(), adapter);
    }
  }

  /**
   * What writes prompts and answers for a model that is not open.
   *
   * @param template as for {@link #encoder(String)}
   * @param inputs what the model's own is told beside the dialogue
   * @throws ModelFileException as {@link #open(Path, int)}; where an adapter brings another
   *     tokenizer or template than its base
   */
  public static AnswerEncoder encoder(Path model, String template, TemplateInputs inputs)
      throws IOException {
    return encoder(model, base(model), template, inputs);
  }

  /** As {@link #encoder(Path, String, TemplateInputs)}, where the base lies elsewhere. */
  static AnswerEncoder encoder(Path model, Path base, String template, TemplateInputs inputs)
      throws IOException {
    AdapterTokenizer.check(model, base, template);
    return AnswerEncoder.open(base, template, inputs);
  }

  /** Where it was opened. */
  public Path path() {
    return path;
  }

  /** The shape; {@link ModelConfig#maxPositions} bounds what can be scored. */
  public ModelConfig config() {
    return config;
  }

  /**
   * What writes prompts and answers as this model was taught to read them.
   *
   * @param template name of a preset; empty takes the model's own
   * @throws IllegalArgumentException where there is no such template, or the model brings none
   * @throws ModelFileException where an adapter brings another tokenizer or template than its base
   */
  public AnswerEncoder encoder(String template) throws IOException {
    return encoder(template, TemplateInputs.NONE);
  }

  /**
   * As {@link #encoder(String)}.
   *
   * @param inputs what the model's own template is told beside the dialogue
   */
  public AnswerEncoder encoder(String template, TemplateInputs inputs) throws IOException {
    return encoder(path, base, template, inputs);
  }

  /**
   * The scores of sequences, read at their last tokens, in their order.
   *
   * @param sequences token ids, each at least one and at most the model's context, without padding
   * @throws IllegalArgumentException naming the sequence that is empty or too long
   */
  public double[] score(List<int[]> sequences) {
    for (int i = 0; i < sequences.size(); i++) {
      int length = sequences.get(i).length;
      if (length == 0 || length > config.maxPositions()) {
        throw new IllegalArgumentException(
            "Sequence %s has %s tokens, and the reward model scores 1 to %s"
                .formatted(i, length, config.maxPositions()));
      }
    }
    return sequences.stream().mapToDouble(this::score).toArray();
  }

  /** Alone: in a batch its matrices are others, and so are the last bits of its score. */
  private double score(int[] sequence) {
    Tensor hidden = decoder.forward(Batch.of(List.of(sequence)), Dropout.NONE);
    float[] state = hidden.rows(sequence.length - 1, 1).toArray();
    double sum = config.scoreBias();
    for (int d = 0; d < head.length; d++) {
      sum += (double) head[d] * state[d];
    }
    return sum;
  }

  @Override
  public void close() {
    decoder.close();
    parameters.close();
    kernels.close();
  }
}
