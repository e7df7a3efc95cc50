package dev.distillery.model.train;

import java.util.Arrays;
import org.nd4j.evaluation.classification.EvaluationCalibration;
import org.nd4j.evaluation.classification.ROC;
import org.nd4j.evaluation.curves.ReliabilityDiagram;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * What a reward model's probabilities are worth: the probability that the first of two answers is
 * preferred is {@code sigma(r_1 - r_2)} (Bradley and Terry), and each pair is asked in both orders,
 * so that no order is favoured. Deeplearning4j's ROC, exact, and EvaluationCalibration.
 */
public final class PairEvaluation {
  private static final int BINS = 10;

  private PairEvaluation() {}

  /**
   * The evaluation of some pairs.
   *
   * @param rocAuc area under the curve: the chance that of two orders, one right and one wrong, the
   *     right one is thought the likelier
   * @param calibrationError mean over all orders of the distance between what a bin's probabilities
   *     promise and what came true (expected calibration error, ten bins)
   * @param predicted mean probability of each bin that is not empty, ascending
   * @param observed share that came true in those bins
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Result(
      double rocAuc, double calibrationError, double[] predicted, double[] observed) {}

  /**
   * Evaluates pairs.
   *
   * @param differences score of the preferred answer minus that of the other, of at least one pair
   */
  public static Result of(double[] differences) {
    int pairs = differences.length;
    double[][] probabilities = new double[2 * pairs][];
    double[][] labels = new double[2 * pairs][];
    for (int i = 0; i < pairs; i++) {
      double first = Logistic.sigma(differences[i]);
      double other = Logistic.sigma(-differences[i]);
      probabilities[2 * i] = new double[] {other, first};
      labels[2 * i] = new double[] {0, 1};
      probabilities[2 * i + 1] = new double[] {first, other};
      labels[2 * i + 1] = new double[] {1, 0};
    }
    try (INDArray truth = Nd4j.createFromArray(labels);
        INDArray said = Nd4j.createFromArray(probabilities)) {
      ROC roc = new ROC(0);
      roc.eval(truth, said);
      EvaluationCalibration calibration = new EvaluationCalibration(BINS, BINS, true);
      calibration.eval(truth, said);
      ReliabilityDiagram diagram = calibration.getReliabilityDiagram(1);
      return new Result(
          roc.calculateAUC(),
          error(calibration),
          diagram.getMeanPredictedValueX(),
          diagram.getFractionPositivesY());
    }
  }

  private static double error(EvaluationCalibration calibration) {
    double[] total = column(calibration.getRDiagBinTotalCount());
    double[] positive = column(calibration.getRDiagBinPosCount());
    double[] promised = column(calibration.getRDiagBinSumPredictions());
    double error = 0;
    for (int bin = 0; bin < total.length; bin++) {
      error += Math.abs(promised[bin] - positive[bin]);
    }
    return error / Arrays.stream(total).sum();
  }

  /** The bins of the first answer. */
  private static double[] column(INDArray bins) {
    return bins.getColumn(1).toDoubleVector();
  }
}
