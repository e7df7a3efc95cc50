package dev.distillery.jobs.reward;

import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.train.RankingLoss;
import dev.distillery.model.train.RankingLoss.Pair;
import dev.distillery.model.train.RankingSums;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The pairwise loss of {@link RankingLoss}: the mean over the prompts of a step of the mean over a
 * prompt's pairs. A row is a prompt: its documents are the answers, its figures the pairs, three
 * numbers each: the better document, the other, and the margin. A row without figures is scored in
 * evaluations and trained on by nobody.
 */
final class RewardObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private final double centring;

  /**
   * @param centring coefficient of the term that holds scores around 0; 0 for none
   */
  RewardObjective(double centring) {
    this.centring = centring;
  }

  @Override
  public double weight(TokenSequence row) {
    return row.figures().length > 0 ? 1 : 0;
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    return RankingSums.ofArray(sums).metrics();
  }

  /** The pairs of rows, by the places of their documents in the batch. */
  static List<Pair> pairs(List<TokenSequence> rows) {
    List<Pair> pairs = new ArrayList<>();
    int before = 0;
    for (TokenSequence row : rows) {
      float[] figures = row.figures();
      int count = figures.length / 3;
      for (int p = 0; p < count; p++) {
        pairs.add(
            new Pair(
                before + (int) figures[3 * p],
                before + (int) figures[3 * p + 1],
                figures[3 * p + 2],
                1.0 / count));
      }
      before += row.starts().length;
    }
    return pairs;
  }

  @Override
  public Computation open(Decoder decoder) {
    return new Work(new RankingLoss(decoder, centring), decoder);
  }

  private static final class Work implements Computation {
    private final RankingLoss loss;
    private final Decoder decoder;

    Work(RankingLoss loss, Decoder decoder) {
      this.loss = loss;
      this.decoder = decoder;
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      List<RankingSums> sums = new ArrayList<>();
      Batch documents = batch.documents();
      var unused =
          loss.objective(documents, pairs(batch.rows()), normaliser.weight(), dropout, sums::add)
              .addGradient(decoder, gradients);
      return sums.get(0).toArray();
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      return loss.evaluate(batch.documents(), pairs(batch.rows())).toArray();
    }

    @Override
    public void close() {
      loss.close();
    }
  }
}
