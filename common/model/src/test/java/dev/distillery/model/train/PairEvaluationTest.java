package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The area is compared with its definition, the error with its formula, both by hand. */
class PairEvaluationTest {
  @Test
  void theAreaAndTheErrorHaveTheirValues() {
    double[] differences = {2, 0.5, -1, 0.1, 3, -0.2};
    PairEvaluation.Result result = PairEvaluation.of(differences);

    // Of 6 x 6 pairs of a right and a wrong order, those with d_i > -d_j, half of those equal.
    double above = 0;
    for (double right : differences) {
      for (double wrong : differences) {
        above += right > -wrong ? 1 : right == -wrong ? 0.5 : 0;
      }
    }
    assertThat(result.rocAuc()).isCloseTo(above / 36, within(1e-9));
    // Deeplearning4j's curve has the same area where no two scores are equal.
    double area = 0;
    double[] x = result.falsePositives();
    double[] y = result.truePositives();
    for (int i = 1; i < x.length; i++) {
      area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
    }
    assertThat(x).isSorted();
    assertThat(area).isCloseTo(result.rocAuc(), within(1e-9));
    assertThat(result.calibrationError()).isCloseTo(byHand(differences), within(1e-6));
    assertThat(result.predicted()).isSorted().hasSameSizeAs(result.observed());
  }

  private static double byHand(double[] differences) {
    double[] promised = new double[10];
    double[] came = new double[10];
    for (double difference : differences) {
      for (int side : new int[] {1, -1}) {
        double p = 1 / (1 + Math.exp(-side * difference));
        promised[(int) (10 * p)] += p;
        came[(int) (10 * p)] += side > 0 ? 1 : 0;
      }
    }
    double error = 0;
    for (int bin = 0; bin < 10; bin++) {
      error += Math.abs(promised[bin] - came[bin]);
    }
    return error / (2 * differences.length);
  }

  @Test
  void scoresThatSayNothingAreACoin() {
    double[] none = new double[8];
    PairEvaluation.Result result = PairEvaluation.of(none);
    assertThat(result.rocAuc()).isCloseTo(0.5, within(1e-9));
    assertThat(result.calibrationError()).isCloseTo(0, within(1e-6));
  }

  @Test
  void allThatIsRightIsTheWholeArea() {
    double[] right = new double[5];
    Arrays.fill(right, 40);
    assertThat(PairEvaluation.of(right).rocAuc()).isCloseTo(1, within(1e-9));
    assertThat(PairEvaluation.of(right).calibrationError()).isCloseTo(0, within(1e-6));
  }
}
