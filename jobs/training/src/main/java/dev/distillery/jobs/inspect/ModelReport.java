package dev.distillery.jobs.inspect;

import dev.distillery.core.run.Figures;
import dev.distillery.model.format.Hardware;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelEstimate.Trained;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What the inspect job finds.
 *
 * @param figures by name; bytes, operations, hours and dollars say so in their names
 * @param members configuration, storage, tokenizer, published runs
 */
record ModelReport(Map<String, Number> figures, Map<String, Object> members) implements Figures {

  /** The training run that is estimated. */
  record Plan(String hardware, long trainingTokens, int sequenceLength) {}

  /** Texts that tokenizers tend to change. */
  private static final List<String> TEXTS =
      List.of(
          "Hello, world!",
          "  two spaces, a tab\tand\r\n\n\nlines  ",
          "I'm you'll HE'S 3.14 1234567",
          "\u65E5\u672C\u8A9E \u0440\u0443\u0441\u0441\u043A\u0438\u0439 \u0627\u0644\u0639",
          "\uD83D\uDC69\u200D\uD83D\uDE80 e\u0301 \u00A0\u2003\u3000",
          "def f(x):\n    return {'a': [x ** 2]}",
          "\u0000\u0001\u007F\u0085");

  /** A configuration without files. */
  static ModelReport of(ModelConfig config, Plan plan) {
    Map<String, Number> figures = new TreeMap<>();
    Map<String, Object> members = new LinkedHashMap<>();
    sizes(config, figures, members);
    estimate(config, plan, figures, members);
    return new ModelReport(figures, members);
  }

  /** A model's files. */
  static ModelReport of(ModelFiles model, Plan plan) throws IOException {
    ModelReport report = of(model.config(), plan);
    Map<String, Number> figures = new TreeMap<>(report.figures());
    Map<String, Object> members = new LinkedHashMap<>(report.members());
    long stored = 0;
    Map<String, Long> types = new TreeMap<>();
    for (WeightSource.Weight weight : model.weights().weights().values()) {
      stored += weight.type().bytes(weight.spec().elements());
      types.merge(weight.type().name(), weight.spec().elements(), Long::sum);
    }
    figures.put("stored_bytes", stored);
    members.put("stored_values", types);
    members.put("stop_token_ids", model.specialTokens().stop());
    tokenizer(model, figures, members);
    return new ModelReport(figures, members);
  }

  private static void sizes(
      ModelConfig config, Map<String, Number> figures, Map<String, Object> members) {
    figures.put("parameters", config.parameterCount());
    figures.put("vocab_size", config.vocabSize());
    figures.put("hidden_size", config.hiddenSize());
    figures.put("intermediate_size", config.intermediateSize());
    figures.put("layers", config.layers());
    figures.put("heads", config.heads());
    figures.put("kv_heads", config.kvHeads());
    figures.put("head_dim", config.headDim());
    figures.put("max_positions", config.maxPositions());
    members.put("architecture", config.architecture().modelType());
    members.put("tied_embeddings", config.tieEmbeddings());
    members.put("rope_theta", config.ropeTheta());
    members.put("labels", config.labels());
  }

  private static void estimate(
      ModelConfig config, Plan plan, Map<String, Number> figures, Map<String, Object> members) {
    ModelEstimate estimate = ModelEstimate.of(config);
    figures.put("float32_bytes", estimate.weightBytes(Float.BYTES));
    figures.put("cache_bytes_per_token", estimate.cacheBytes(1, 1));
    figures.put(
        "training_step_bytes", estimate.trainingBytes(Trained.FULL, 1, plan.sequenceLength()));
    figures.put(
        "adapter_step_bytes", estimate.trainingBytes(Trained.ADAPTERS, 1, plan.sequenceLength()));
    figures.put("forward_flops_per_token", estimate.forwardFlopsPerToken(plan.sequenceLength()));
    ModelEstimate.Cost cost =
        estimate.training(
            Hardware.named(plan.hardware()),
            Trained.FULL,
            (double) plan.trainingTokens(),
            plan.sequenceLength());
    figures.put("training_flops", cost.flops());
    figures.put("training_hours", cost.hours());
    figures.put("training_dollars", cost.dollars());
    members.put("hardware", plan.hardware());
    members.put("training_fits", cost.fits());
    List<Map<String, Object>> published = new ArrayList<>();
    for (ModelEstimate.Published run : ModelEstimate.published()) {
      Map<String, Object> entry = new LinkedHashMap<>();
      entry.put("name", run.name());
      entry.put("hardware", run.hardware());
      entry.put("hours", run.hours());
      run.estimatedHours().ifPresent(hours -> entry.put("estimated_hours", hours));
      run.dollars().ifPresent(dollars -> entry.put("dollars", dollars));
      entry.put("source", run.source());
      published.add(entry);
    }
    members.put("published_runs", published);
  }

  private static void tokenizer(
      ModelFiles model, Map<String, Number> figures, Map<String, Object> members)
      throws IOException {
    Optional<Tokenizer> tokenizer;
    try {
      tokenizer = Optional.of(Tokenizers.of(model));
    } catch (ModelFileException e) {
      tokenizer = Optional.empty();
      members.put("tokenizer", "none: " + e.getMessage());
    }
    if (tokenizer.isEmpty()) {
      return;
    }
    Tokenizer found = tokenizer.get();
    List<String> changed =
        TEXTS.stream().filter(t -> !found.decode(found.encode(t), false).equals(t)).toList();
    members.put("tokenizer", found.toString());
    members.put("texts_not_given_back", changed);
    figures.put("texts_tried", TEXTS.size());
    figures.put("texts_given_back", TEXTS.size() - changed.size());
    figures.put("tokenizer_size", found.vocabSize());
  }
}
