package dev.distillery.jobs.sft;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.training.tokens.TrainingInputs.Share;
import java.util.List;
import java.util.Map;

/**
 * What a run of sft has done, or would do; its unit is the row.
 *
 * @param training figures of the rows and of the training itself
 * @param inputs what each input came to
 * @param output folder of the model or the adapter
 * @param qualityByRows of several numbers of rows, what evaluation came to with each
 */
public record SftSummary(
    RunSummary run,
    Map<String, Number> training,
    List<Input> inputs,
    String output,
    List<Quality> qualityByRows)
    implements Summary {

  /**
   * What an input came to.
   *
   * @param ref as the user named it
   * @param weight passes in an epoch
   * @param rowsRead of the input
   * @param rowsKept that have tokens
   * @param rowsPerEpoch rows of the token table that an epoch takes
   */
  public record Input(String ref, String weight, long rowsRead, long rowsKept, long rowsPerEpoch) {
    static Input of(Share share) {
      return new Input(
          share.ref(),
          share.weight().toPlainString(),
          share.counts().rowsRead(),
          share.counts().rowsKept(),
          share.rowsPerEpoch());
    }
  }

  /**
   * What a recipe came to on some rows.
   *
   * @param rows trained on
   * @param figures of the evaluation after training, steps, tokens and loss
   */
  public record Quality(long rows, Map<String, Number> figures) {
    public Quality {
      figures = Map.copyOf(figures);
    }
  }

  public SftSummary {
    training = Map.copyOf(training);
    inputs = List.copyOf(inputs);
    qualityByRows = List.copyOf(qualityByRows);
  }
}
