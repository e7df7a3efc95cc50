package dev.distillery.jobs.inspect;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.RunSummary;
import dev.distillery.model.format.Hardware;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelEstimate;
import dev.distillery.model.format.ModelEstimate.Trained;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.WeightSource;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Looks at a model.
 *
 * @param run that the summary is of
 * @param hardware machine of the training estimate
 * @param trainingTokens of all epochs together
 * @param sequenceLength tokens of one sequence
 */
record Inspector(RunSummary run, String hardware, long trainingTokens, int sequenceLength) {

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
  InspectSummary look(ModelConfig config) {
    return new InspectSummary(
        run, sizes(config), estimate(config), Optional.empty(), Optional.empty(), Optional.empty());
  }

  /** A model's files. */
  InspectSummary look(ModelFiles model) throws IOException {
    try {
      Tokenizer tokenizer = Tokenizers.of(model);
      return summary(model, tokenizer.toString(), Optional.of(texts(tokenizer)));
    } catch (ModelFileException e) {
      return summary(model, "none: " + e.getMessage(), Optional.empty());
    }
  }

  private InspectSummary summary(
      ModelFiles model, String tokenizer, Optional<InspectSummary.Texts> texts) {
    ModelConfig config = model.config();
    return new InspectSummary(
        run,
        sizes(config),
        estimate(config),
        Optional.of(stored(model)),
        Optional.of(tokenizer),
        texts);
  }

  private static InspectSummary.Sizes sizes(ModelConfig config) {
    return new InspectSummary.Sizes(
        config.architecture().modelType(),
        config.parameterCount(),
        config.vocabSize(),
        config.hiddenSize(),
        config.intermediateSize(),
        config.layers(),
        config.heads(),
        config.kvHeads(),
        config.headDim(),
        config.maxPositions(),
        config.tieEmbeddings(),
        config.ropeTheta(),
        config.labels());
  }

  private InspectSummary.Estimate estimate(ModelConfig config) {
    ModelEstimate estimate = ModelEstimate.of(config);
    ModelEstimate.Cost cost =
        estimate.training(
            Hardware.named(hardware), Trained.FULL, (double) trainingTokens, sequenceLength);
    return new InspectSummary.Estimate(
        estimate.weightBytes(Float.BYTES),
        estimate.cacheBytes(1, 1),
        estimate.trainingBytes(Trained.FULL, 1, sequenceLength),
        estimate.trainingBytes(Trained.ADAPTERS, 1, sequenceLength),
        estimate.forwardFlopsPerToken(sequenceLength),
        cost.flops(),
        cost.hours(),
        cost.dollars(),
        hardware,
        cost.fits(),
        ModelEstimate.published().stream().map(Inspector::published).toList());
  }

  private static Map<String, Object> published(ModelEstimate.Published run) {
    Map<String, Object> entry = new LinkedHashMap<>();
    entry.put("name", run.name());
    entry.put("hardware", run.hardware());
    entry.put("hours", run.hours());
    run.estimatedHours().ifPresent(hours -> entry.put("estimated_hours", hours));
    run.dollars().ifPresent(dollars -> entry.put("dollars", dollars));
    entry.put("source", run.source());
    return entry;
  }

  private static InspectSummary.Stored stored(ModelFiles model) {
    long bytes = 0;
    Map<String, Long> types = new TreeMap<>();
    for (WeightSource.Weight weight : model.weights().weights().values()) {
      bytes += weight.type().bytes(weight.spec().elements());
      types.merge(weight.type().name(), weight.spec().elements(), Long::sum);
    }
    return new InspectSummary.Stored(bytes, types, model.specialTokens().stop(), model.warnings());
  }

  private static InspectSummary.Texts texts(Tokenizer tokenizer) {
    List<String> changed =
        TEXTS.stream()
            .filter(text -> !tokenizer.decode(tokenizer.encode(text), false).equals(text))
            .toList();
    return new InspectSummary.Texts(
        TEXTS.size(), TEXTS.size() - changed.size(), tokenizer.vocabSize(), changed);
  }
}
