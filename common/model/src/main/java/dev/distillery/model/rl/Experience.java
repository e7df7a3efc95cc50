package dev.distillery.model.rl;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a batch of sampled answers teaches: of each token its divergence, its reward, its advantage
 * and its return.
 */
public final class Experience {
  /**
   * How advantages are made.
   *
   * @param estimator of the divergence in rewards; default k1
   * @param gamma discount; default 1
   * @param lambda of generalised advantage estimation; default 0.95
   * @param whitenRewards whether shaped rewards get variance 1 and keep their mean; PPO
   * @param whitenAdvantages whether advantages get mean 0 and variance 1; PPO
   * @param whitening which variance
   */
  public record Settings(
      Algorithm algorithm,
      KlEstimator estimator,
      double gamma,
      double lambda,
      boolean whitenRewards,
      boolean whitenAdvantages,
      Whitening whitening) {}

  /**
   * A sampled answer with what was said of it at rollout time.
   *
   * @param group answers to one prompt share it
   * @param logProbs of the policy, [tokens], at least one
   * @param refLogProbs of the reference, [tokens]
   * @param values [tokens]; not looked at without a critic
   * @param score by which it is learned; not a number takes it out
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Answer(
      int group, float[] logProbs, float[] refLogProbs, float[] values, double score) {
    private boolean counts() {
      return Double.isFinite(score);
    }
  }

  /**
   * What one answer teaches.
   *
   * @param kl of each token, in nats
   * @param rewards of each token, the score in the last's; as they enter the advantages
   * @param advantages of each token, before whitening; none of an answer that is out
   * @param returns of each token; none of an answer that is out
   * @param used the advantages that are trained with
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Lesson(
      double[] kl, double[] rewards, double[] advantages, double[] returns, double[] used) {
    /** Whether the answer is learned from. */
    public boolean counts() {
      return used.length > 0;
    }
  }

  private static final double[] NONE = {};

  private Experience() {}

  /**
   * The lessons, in the order of the answers.
   *
   * @param coefficient of the divergence in rewards
   */
  public static List<Lesson> of(List<Answer> answers, Settings settings, double coefficient) {
    List<double[]> kl = new ArrayList<>();
    for (Answer answer : answers) {
      kl.add(ShapedRewards.kl(settings.estimator(), answer.logProbs(), answer.refLogProbs()));
    }
    return settings.algorithm() == Algorithm.PPO
        ? byCritic(answers, kl, settings, coefficient)
        : byGroup(answers, kl, settings, coefficient);
  }

  private static List<Lesson> byCritic(
      List<Answer> answers, List<double[]> kl, Settings settings, double coefficient) {
    List<double[]> rewards = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Answer answer = answers.get(i);
      rewards.add(
          answer.counts() ? ShapedRewards.of(kl.get(i), coefficient, answer.score()) : NONE);
    }
    if (settings.whitenRewards()) {
      settings.whitening().apply(rewards, false);
    }
    List<Advantages> all = new ArrayList<>();
    List<double[]> used = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Advantages own = new Advantages(NONE, NONE);
      if (answers.get(i).counts()) {
        own =
            Advantages.of(
                rewards.get(i),
                widened(answers.get(i).values()),
                settings.gamma(),
                settings.lambda());
      }
      all.add(own);
      used.add(own.advantages().clone());
    }
    if (settings.whitenAdvantages()) {
      settings.whitening().apply(used, true);
    }
    List<Lesson> lessons = new ArrayList<>();
    for (int i = 0; i < answers.size(); i++) {
      Advantages own = all.get(i);
      lessons.add(
          new Lesson(kl.get(i), rewards.get(i), own.advantages(), own.returns(), used.get(i)));
    }
    return lessons;
  }

  private static double[] widened(float[] values) {
    double[] wide = new double[values.length];
    for (int i = 0; i < wide.length; i++) {
      wide[i] = values[i];
    }
    return wide;
  }

  private static List<Lesson> byGroup(
      List<Answer> answers, List<double[]> kl, Settings settings, double coefficient) {
    boolean inReward = settings.algorithm() == Algorithm.RLOO;
    GroupAdvantages compare = inReward ? GroupAdvantages.RLOO : GroupAdvantages.GRPO;
    Map<Integer, List<Integer>> groups = new LinkedHashMap<>();
    for (int i = 0; i < answers.size(); i++) {
      groups.computeIfAbsent(answers.get(i).group(), group -> new ArrayList<>()).add(i);
    }
    Lesson[] lessons = new Lesson[answers.size()];
    for (List<Integer> group : groups.values()) {
      double[] rewards = new double[group.size()];
      for (int m = 0; m < rewards.length; m++) {
        int i = group.get(m);
        double penalty = inReward ? coefficient * ShapedRewards.sum(kl.get(i)) : 0;
        rewards[m] = answers.get(i).score() - penalty;
      }
      double[] advantages = compare.of(rewards);
      for (int m = 0; m < rewards.length; m++) {
        int i = group.get(m);
        lessons[i] = lesson(answers.get(i), kl.get(i), advantages[m], inReward ? coefficient : 0);
      }
    }
    return List.of(lessons);
  }

  private static Lesson lesson(Answer answer, double[] kl, double advantage, double coefficient) {
    if (!answer.counts()) {
      return new Lesson(kl, NONE, NONE, NONE, NONE);
    }
    Advantages own = Advantages.constant(kl.length, advantage);
    double[] rewards = ShapedRewards.of(kl, coefficient, answer.score());
    return new Lesson(kl, rewards, own.advantages(), own.returns(), own.advantages());
  }
}
