import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

import java.util.Arrays;
import java.util.Map;

/** Three gradients that a decoder needs, by SameDiff and by hand. See benchmarks/deeplearning4j/run. */
public final class Gradients {
  private Gradients() {}

  private interface Case {
    INDArray gradient() throws Exception;
  }

  public static void main(String[] args) {
    compare("gather: rows 0, 1, 1 of a table, each times 1, 10, 100; row 1 should get 110",
        new double[][] {{1, 1}, {110, 110}, {0, 0}}, Gradients::gather);
    double p = Math.exp(1) / (Math.exp(1) + Math.exp(2));
    compare("sparse cross-entropy of two rows, weighted 1 and 0; row 2 should get nothing",
        new double[][] {{p - 1, 1 - p}, {0, 0}}, Gradients::crossEntropy);
    compare("repeat of each value twice, times 1 2 3 4; should be 3 and 7",
        new double[][] {{3}, {7}}, Gradients::repeat);
  }

  private static void compare(String what, double[][] expected, Case c) {
    System.out.println(what);
    System.out.println("  by hand:  " + Arrays.deepToString(expected));
    try {
      System.out.println("  SameDiff: " + c.gradient().toString().replace("\n", ""));
    } catch (Exception | Error e) {
      System.out.println("  SameDiff: " + e.getClass().getSimpleName() + ": " + e.getMessage());
    }
  }

  private static INDArray gather() {
    SameDiff sd = SameDiff.create();
    SDVariable table = sd.var("table", Nd4j.ones(DataType.FLOAT, 3, 2));
    SDVariable ids = sd.constant("ids", Nd4j.createFromArray(0, 1, 1));
    SDVariable weights = sd.constant("weights",
        Nd4j.createFromArray(new float[][] {{1, 1}, {10, 10}, {100, 100}}));
    sd.gather(table, ids, 0).mul(weights).sum("loss");
    return gradient(sd, "table");
  }

  private static INDArray crossEntropy() {
    SameDiff sd = SameDiff.create();
    SDVariable logits = sd.var("logits", Nd4j.createFromArray(new float[][] {{1, 2}, {1, 2}}));
    SDVariable labels = sd.constant("labels", Nd4j.createFromArray(0, 1));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(1f, 0f));
    sd.loss().sparseSoftmaxCrossEntropy(logits, labels).mul(weights).sum("loss");
    return gradient(sd, "logits");
  }

  private static INDArray repeat() {
    SameDiff sd = SameDiff.create();
    SDVariable x = sd.var("x", Nd4j.createFromArray(new float[][] {{1}, {1}}));
    SDVariable weights = sd.constant("weights", Nd4j.createFromArray(new float[][] {{1}, {2}, {3}, {4}}));
    sd.repeat(x, sd.constant(Nd4j.createFromArray(2, 2)), 0).mul(weights).sum("loss");
    return gradient(sd, "x");
  }

  private static INDArray gradient(SameDiff sd, String variable) {
    sd.setLossVariables("loss");
    Map<String, INDArray> gradients = sd.calculateGradients(Map.of(), variable);
    return gradients.get(variable);
  }
}
