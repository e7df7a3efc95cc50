package dev.distillery.jobs.reward;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.train.RankingSums;
import dev.distillery.training.run.Engine;
import dev.distillery.training.run.Finish;
import dev.distillery.training.tokens.TokenRows;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Gives the scores of reference answers the mean 0 and the variance 1, as OpenAI did (Ziegler et
 * al. 2019, 2.1; Ouyang et al. 2022, 3.5 shift the mean alone): with mean m and deviation s of the
 * scores there, the head's weights are divided by s, and (b - m) / s stands for its bias b. What is
 * ranked how does not change.
 */
final class Normalisation implements Finish {
  private final TokenRows reference;
  private final int batchSize;
  private final Map<String, Number> figures = new LinkedHashMap<>();

  /**
   * @param reference rows whose documents are the answers
   */
  Normalisation(TokenRows reference, int batchSize) {
    this.reference = reference;
    this.batchSize = batchSize;
  }

  @Override
  public ModelConfig finish(Engine engine, ModelConfig config) {
    RankingSums sums = RankingSums.ofArray(engine.evaluate(reference, batchSize));
    double mean = sums.meanReward();
    double deviation = sums.deviation();
    if (!(deviation > 0 && deviation < Double.POSITIVE_INFINITY)) {
      throw JobException.invalid(
          String.format(
              Locale.ROOT,
              "Option --normalize-input: the %.0f answers there all have the score %s, and no gain"
                  + " gives them the variance 1: name other rows, or train longer",
              sums.scores(),
              mean));
    }
    Tensor head = engine.parameters().slot(ModelTensors.SCORE).orElseThrow();
    float[] weights = head.toArray();
    for (int i = 0; i < weights.length; i++) {
      weights[i] = (float) (weights[i] / deviation);
    }
    head.write(weights);
    engine.moved();
    double bias = (config.scoreBias() - mean) / deviation;
    figures.put("normalize_answers", sums.scores());
    figures.put("normalize_mean", mean);
    figures.put("normalize_deviation", deviation);
    return config.toBuilder().scoreBias(bias).build();
  }

  /** Mean and deviation that were found, once the result is finished. */
  Map<String, Number> figures() {
    return figures;
  }
}
