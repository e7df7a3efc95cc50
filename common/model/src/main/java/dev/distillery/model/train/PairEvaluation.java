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
 * so that no order is favoured. The curve is that of Deeplearning4j's ROC, calibration that of its
 * EvaluationCalibration. The area is counted here, since its ROC takes equal scores in the order in
 * which it finds them, and a model that says nothing must get a half.
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
   * @param falsePositives rate along the ROC curve, ascending
   * @param truePositives rate along it
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Result(
      double rocAuc,
      double calibrationError,
      double[] predicted,
      double[] observed,
      double[] falsePositives,
      double[] truePositives) {}

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
          area(differences),
          error(calibration),
          diagram.getMeanPredictedValueX(),
          diagram.getFractionPositivesY(),
          ascending(roc.getRocCurve().getFpr()),
          ascending(roc.getRocCurve().getTpr()));
    }
  }

  /** Both rates grow together, from 0 to 1; the curve may begin at either end. */
  private static double[] ascending(double[] rates) {
    boolean backwards = rates[0] > rates[rates.length - 1];
    double[] ascending = new double[rates.length];
    for (int i = 0; i < rates.length; i++) {
      ascending[i] = rates[backwards ? rates.length - 1 - i : i];
    }
    return ascending;
  }

  /** The share of right and wrong orders of which the right one is likelier; equal ones a half. */
  private static double area(double[] differences) {
    double[] sorted = differences.clone();
    Arrays.sort(sorted);
    double above = 0;
    for (double right : differences) {
      // A wrong order has the difference -d, which is below right where d is above -right.
      int notAbove = below(sorted, -right, true);
      above += sorted.length - notAbove + (notAbove - below(sorted, -right, false)) / 2.0;
    }
    return above / ((double) sorted.length * sorted.length);
  }

  /** How many values lie below a bound, or at it. */
  private static int below(double[] sorted, double bound, boolean orAt) {
    int from = 0;
    int to = sorted.length;
    while (from < to) {
      int middle = (from + to) >>> 1;
      if (sorted[middle] < bound || (orAt && sorted[middle] == bound)) {
        from = middle + 1;
      } else {
        to = middle;
      }
    }
    return from;
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
