package dev.distillery.training.run;

import dev.distillery.model.nn.Dropout;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * All that the gradient of one step depends on, beside the weights.
 *
 * @param microBatches in order
 * @param normaliser what the step's summed losses are divided by
 * @param dropout with the step's key
 */
public record StepWork(List<MicroBatch> microBatches, Normaliser normaliser, Dropout dropout) {

  /** Reads the rows of a step's micro-batches. */
  static StepWork of(
      List<long[]> positions, TokenRows rows, TrainingObjective objective, Dropout dropout) {
    List<MicroBatch> microBatches = new ArrayList<>();
    for (long[] microBatch : positions) {
      microBatches.add(read(microBatch, rows));
    }
    return new StepWork(microBatches, normaliser(microBatches, objective), dropout);
  }

  /** What the loss over micro-batches is divided by: the weights of all their rows together. */
  public static Normaliser normaliser(List<MicroBatch> microBatches, TrainingObjective objective) {
    double sum = 0;
    double text = 0;
    for (MicroBatch microBatch : microBatches) {
      for (TokenSequence row : microBatch.rows()) {
        sum += objective.weight(row);
        text += objective.textWeight(row);
      }
    }
    // Where nothing is trained the gradient is zero, whatever it is divided by.
    return new Normaliser(sum > 0 ? sum : 1, text > 0 ? text : 1);
  }

  static MicroBatch read(long[] positions, TokenRows rows) {
    List<TokenSequence> read = new ArrayList<>();
    for (long position : positions) {
      read.add(rows.row(position));
    }
    return new MicroBatch(read, positions);
  }

  /** Tokens of all rows. */
  public long tokens() {
    return microBatches.stream().mapToLong(MicroBatch::tokens).sum();
  }
}
