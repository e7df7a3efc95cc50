package dev.distillery.training.rollout;

import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.GroupAdvantages;
import dev.distillery.model.rl.ShapedRewards;
import dev.distillery.model.rl.Whitening;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;

/**
 * The answers of one update with what is learned of them.
 *
 * @param entries of all answers
 * @param written as decoding knew them
 * @param answers as advantages were made of them
 * @param names of the rewards
 * @param parts of each reward, its numbers
 */
record RolloutBatch(
    List<RolloutLog.Entry> entries,
    List<Written> written,
    List<Experience.Answer> answers,
    List<String> names,
    List<double[]> parts) {
  /** The rows that are trained on: of answers that have a score. */
  List<TokenSequence> trained() {
    List<TokenSequence> rows = new ArrayList<>();
    for (RolloutLog.Entry entry : entries) {
      Experience.Lesson lesson = entry.lesson();
      if (lesson.counts()) {
        Sampled sampled = entry.sampled();
        rows.add(
            PolicyObjective.row(
                sampled.prompt().ids(),
                sampled.ids(),
                entry.said(),
                lesson.used(),
                lesson.returns()));
      }
    }
    return rows;
  }

  /** Tokens of prompts and answers. */
  long tokens() {
    return entries.stream()
        .mapToLong(e -> e.sampled().prompt().ids().length + e.sampled().ids().length)
        .sum();
  }

  /** What the answers look like. */
  Map<String, Double> probes() {
    return Probes.of(
        entries.stream()
            .map(
                e ->
                    new Probes.Seen(
                        e.sampled().prompt().ids(),
                        e.sampled().ids(),
                        e.sampled().ended(),
                        e.score()))
            .toList());
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
  }

  private static double deviation(List<Double> values) {
    double mean = mean(values);
    return Math.sqrt(mean(values.stream().map(v -> (v - mean) * (v - mean)).toList()));
  }

  private List<Double> each(ToDoubleFunction<RolloutLog.Entry> figure) {
    return entries.stream().map(figure::applyAsDouble).toList();
  }

  private static double sum(float[] values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum;
  }

  /** Figures before the update, by the names of TRL 0.7. */
  Map<String, Double> metrics() {
    Map<String, Double> metrics = new LinkedHashMap<>();
    List<Double> scores = each(RolloutLog.Entry::score).stream().filter(Double::isFinite).toList();
    double kl = mean(each(e -> ShapedRewards.sum(e.lesson().kl())));
    metrics.put("reward", mean(scores));
    metrics.put("kl", kl);
    metrics.put("objective/kl", kl);
    metrics.put("objective/entropy", mean(each(e -> sum(e.said().entropies()))));
    metrics.put("objective/logprobs", mean(each(e -> sum(e.said().logProbs()))));
    metrics.put("objective/ref_logprobs", mean(each(e -> sum(e.said().refLogProbs()))));
    metrics.put("env/reward_mean", mean(scores));
    metrics.put("env/reward_std", deviation(scores));
    List<Double> used =
        answers.stream().map(Experience.Answer::score).filter(Double::isFinite).toList();
    metrics.put("ppo/mean_scores", mean(used));
    metrics.put("ppo/std_scores", deviation(used));
    for (int r = 0; r < names.size(); r++) {
      List<Double> own = new ArrayList<>();
      for (double value : parts.get(r)) {
        if (Double.isFinite(value)) {
          own.add(value);
        }
      }
      metrics.put("rewards/" + names.get(r) + "/mean", mean(own));
    }
    metrics.put("tokens/queries_len_mean", mean(each(e -> e.sampled().prompt().ids().length)));
    metrics.put("tokens/responses_len_mean", mean(each(e -> e.sampled().ids().length)));
    metrics.put("tokens/responses_len_std", deviation(each(e -> e.sampled().ids().length)));
    addReturns(metrics);
    addGroups(metrics);
    addDrift(metrics);
    return metrics;
  }

  private void addReturns(Map<String, Double> metrics) {
    List<double[]> rewards = entries.stream().map(e -> e.lesson().rewards()).toList();
    List<double[]> returns = entries.stream().map(e -> e.lesson().returns()).toList();
    List<double[]> advantages = entries.stream().map(e -> e.lesson().advantages()).toList();
    metrics.put("ppo/mean_rewards", Whitening.mean(rewards));
    metrics.put("ppo/returns/mean", Whitening.mean(returns));
    metrics.put("ppo/returns/var", Whitening.POPULATION.variance(returns));
    metrics.put("ppo/policy/advantages_mean", Whitening.mean(advantages));
  }

  /** 1 - error / variance of the returns; nothing without a critic, or where they do not vary. */
  Optional<Double> explained(Map<String, Double> learned) {
    double variance =
        Whitening.POPULATION.variance(entries.stream().map(e -> e.lesson().returns()).toList());
    Double error = learned.get("ppo/val/error");
    return error == null || variance == 0 ? Optional.empty() : Optional.of(1 - error / variance);
  }

  private void addGroups(Map<String, Double> metrics) {
    Map<Integer, List<Double>> groups = new LinkedHashMap<>();
    for (Experience.Answer answer : answers) {
      groups.computeIfAbsent(answer.group(), g -> new ArrayList<>()).add(answer.score());
    }
    int equal = 0;
    int dropped = 0;
    int out = 0;
    for (List<Double> group : groups.values()) {
      double[] scores = group.stream().mapToDouble(Double::doubleValue).toArray();
      long finite = group.stream().filter(Double::isFinite).count();
      out += (int) (group.size() - finite);
      dropped += finite == 0 ? 1 : 0;
      equal += finite > 1 && GroupAdvantages.equal(scores) ? 1 : 0;
    }
    metrics.put("rewards/null", (double) out);
    metrics.put("rewards/groups_dropped", (double) dropped);
    metrics.put("rewards/groups_equal", (double) equal);
  }

  /** How far decoding's log-probabilities are from those of the training pass. */
  private void addDrift(Map<String, Double> metrics) {
    double most = 0;
    for (int i = 0; i < written.size(); i++) {
      float[] decoded = written.get(i).logProbs();
      for (int t = 0; t < decoded.length; t++) {
        most = Math.max(most, Math.abs(decoded[t] - entries.get(i).said().logProbs()[t]));
      }
    }
    metrics.put("rollout/logprob_drift_max", most);
  }
}
