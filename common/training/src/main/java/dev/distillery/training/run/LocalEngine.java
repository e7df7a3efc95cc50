package dev.distillery.training.run;

import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.train.GradientSum;
import dev.distillery.model.train.TreeSum;
import dev.distillery.training.tokens.TokenRows;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;

/** One worker in this process: nothing is exchanged, and no stage of Spark runs for a step. */
final class LocalEngine implements Engine {
  private final Policy policy;
  private final GradientSum sum;

  LocalEngine(Policy policy) {
    this.policy = policy;
    this.sum = policy.sum();
  }

  @Override
  public Kernels kernels() {
    return policy.kernels();
  }

  @Override
  public ParameterSpace parameters() {
    return policy.trained();
  }

  @Override
  public void moved() {
    // The decoder reads the very values that were moved.
  }

  @Override
  public Computed gradient(StepWork work) {
    int count = work.microBatches().size();
    TreeSum<double[]> sums = new TreeSum<>(count, Engine::plus);
    sum.begin(count);
    for (int i = 0; i < count; i++) {
      int index = i;
      sum.add(
          index,
          gradients ->
              sums.add(
                  index,
                  policy
                      .computation()
                      .addGradient(
                          work.microBatches().get(index),
                          work.normaliser(),
                          work.dropout(),
                          gradients)));
    }
    return new Computed(sum.total(), sums.total().orElseThrow());
  }

  @Override
  public double[] evaluate(TokenRows rows, int batchSize) {
    int count = Engine.evaluations(rows, batchSize);
    TreeSum<double[]> sums = new TreeSum<>(count, Engine::plus);
    for (int i = 0; i < count; i++) {
      MicroBatch batch = StepWork.read(Engine.evaluated(rows, batchSize, i), rows);
      sums.add(i, policy.computation().evaluate(batch));
    }
    return sums.total().orElseThrow();
  }

  @Override
  public <I extends Serializable, O extends Serializable> List<O> ask(
      List<List<I>> groups, Question<I, O> question) {
    List<O> answers = new ArrayList<>();
    for (List<I> group : groups) {
      answers.addAll(question.answer(policy.decoder(), policy.computation(), group));
    }
    return answers;
  }

  @Override
  public List<int[]> answers(List<int[]> prompts, int most, int[] stops) {
    return GreedyAnswers.of(policy.decoder(), prompts, most, stops);
  }

  @Override
  public void close() {
    policy.close();
  }
}
