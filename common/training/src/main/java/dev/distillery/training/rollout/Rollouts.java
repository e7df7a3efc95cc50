package dev.distillery.training.rollout;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.RunningMoments;
import dev.distillery.training.run.Engine;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.StepPlan;
import dev.distillery.training.run.Stepper;
import dev.distillery.training.tokens.TokenSequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** Samples answers by the engine, has them scored, and asks policy and reference about them. */
final class Rollouts {
  /** Sites of the seed. */
  private static final int SAMPLES = 11;

  private static final int LENGTHS = 14;

  private static final int HELD = 15;

  private final PolicyMethod method;
  private final Settings settings;
  private final Engine engine;
  private final StepPlan plan;
  private double rolloutSeconds;
  private double scoringSeconds;
  private double recomputationSeconds;

  Rollouts(PolicyMethod method, Engine engine, StepPlan plan) {
    this.method = method;
    this.settings = method.settings();
    this.engine = engine;
    this.plan = plan;
  }

  /** What was sampled to some prompts. */
  private record Drawn(
      List<Sampled> answers, List<Written> written, Rewards.Scored scored, List<Figures> said) {}

  /** The batch of an update, counted from 0. */
  RolloutBatch sample(long step, double coefficient, RunningMoments moments) {
    List<Prompt> prompts = new ArrayList<>();
    List<Integer> groups = new ArrayList<>();
    int group = 0;
    for (Prompt prompt : method.prompts().orElseThrow().at(positions(step))) {
      for (int g = 0; g < settings.generations(); g++) {
        prompts.add(prompt);
        groups.add(group);
      }
      group++;
    }
    Drawn drawn =
        draw(prompts, CounterRandom.key(CounterRandom.key(settings.seed(), SAMPLES), step));
    moments.add(drawn.scored.scores());
    List<Experience.Answer> answers = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      Figures said = drawn.said.get(i);
      double score =
          settings.rules().apply(drawn.scored.scores()[i], drawn.answers.get(i).ended(), moments);
      answers.add(
          new Experience.Answer(
              groups.get(i), said.logProbs(), said.refLogProbs(), said.values(), score));
    }
    List<Experience.Lesson> lessons = Experience.of(answers, settings.experience(), coefficient);
    List<RolloutLog.Entry> entries = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      entries.add(
          new RolloutLog.Entry(
              drawn.answers.get(i), drawn.scored.scores()[i], drawn.said.get(i), lessons.get(i)));
    }
    return new RolloutBatch(
        entries, drawn.written, answers, method.rewards().names(), drawn.scored.parts());
  }

  /**
   * The prompts of an update: the next of an endless row of epochs, so that every update has as
   * many, whatever is left of an epoch.
   */
  long[] positions(long step) {
    long size = method.prompts().orElseThrow().size();
    long[] positions = new long[settings.prompts()];
    for (int i = 0; i < positions.length; i++) {
      long at = step * positions.length + i;
      positions[i] = plan.order().order().row(at / size, at % size);
    }
    return positions;
  }

  private Drawn draw(List<Prompt> prompts, long key) {
    long started = System.nanoTime();
    List<Prompt.Ask> asks = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      long name = CounterRandom.key(key, i);
      int most = settings.lengths().length(CounterRandom.key(name, LENGTHS));
      asks.add(new Prompt.Ask(name, prompts.get(i).ids(), most));
    }
    var sample =
        new Written.Sample(
            method.objective().options().temperature(), settings.stops(), settings.decoded());
    List<Written> written =
        engine.ask(
            Written.cut(asks, (asks.size() + settings.decoded() - 1) / settings.decoded()), sample);
    long sampled = System.nanoTime();
    rolloutSeconds += (sampled - started) / 1e9;
    List<Sampled> answers = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      int[] ids = written.get(i).ids();
      answers.add(
          new Sampled(
              prompts.get(i), ids, method.tokenizer().decode(ids, true), written.get(i).ended()));
    }
    Rewards.Scored scored = method.rewards().score(answers);
    long rewarded = System.nanoTime();
    scoringSeconds += (rewarded - sampled) / 1e9;
    List<Figures> said = say(answers);
    recomputationSeconds += (System.nanoTime() - rewarded) / 1e9;
    return new Drawn(answers, written, scored, said);
  }

  /** What policy and reference say of answers, in micro-batches whose plan is no worker's. */
  private List<Figures> say(List<Sampled> answers) {
    List<List<MicroBatch>> groups = new ArrayList<>();
    for (int from = 0; from < answers.size(); from += settings.microBatch()) {
      List<TokenSequence> rows = new ArrayList<>();
      for (Sampled answer :
          answers.subList(from, Math.min(answers.size(), from + settings.microBatch()))) {
        rows.add(PolicyObjective.plain(answer.prompt().ids(), answer.ids()));
      }
      groups.add(List.of(new MicroBatch(rows, new long[rows.size()])));
    }
    List<Figures> figures = new ArrayList<>();
    engine.ask(groups, new Say()).forEach(said -> figures.addAll(said.answers()));
    return figures;
  }

  /** Held-out prompts, answered once each, always by the same draws, and scored. */
  Map<String, Double> evaluate(PromptTable held, double coefficient) {
    long[] all = LongStream.range(0, held.size()).toArray();
    Drawn drawn = draw(held.at(all), CounterRandom.key(settings.seed(), HELD));
    double kl = 0;
    double length = 0;
    double ended = 0;
    double reward = 0;
    int scored = 0;
    for (int i = 0; i < drawn.answers.size(); i++) {
      kl += kl(drawn.said.get(i));
      length += drawn.answers.get(i).ids().length;
      ended += drawn.answers.get(i).ended() ? 1 : 0;
      double score = drawn.scored.scores()[i];
      if (Double.isFinite(score)) {
        reward += score;
        scored++;
      }
    }
    int count = drawn.answers.size();
    Map<String, Double> figures = new LinkedHashMap<>();
    figures.put("reward", reward / Math.max(1, scored));
    figures.put("kl", kl / count);
    figures.put("rlhf_reward", reward / Math.max(1, scored) - coefficient * kl / count);
    figures.put("response_length", length / count);
    figures.put("ended", ended / count);
    return figures;
  }

  /** The first held-out prompts with their answers, drawn as an evaluation draws them. */
  List<Stepper.Answered> answers(PromptTable held, int most) {
    long[] first = LongStream.range(0, Math.min(most, held.size())).toArray();
    Drawn drawn = draw(held.at(first), CounterRandom.key(settings.seed(), HELD));
    List<Stepper.Answered> answers = new ArrayList<>();
    for (int i = 0; i < first.length; i++) {
      Sampled sampled = drawn.answers.get(i);
      Map<String, Double> figures = new LinkedHashMap<>();
      if (Double.isFinite(drawn.scored.scores()[i])) {
        figures.put("score", drawn.scored.scores()[i]);
      }
      figures.put("kl", kl(drawn.said.get(i)));
      answers.add(
          new Stepper.Answered(
              sampled.prompt().text(),
              sampled.answer(),
              sampled.prompt().reference().orElse(""),
              figures));
    }
    return answers;
  }

  private static double kl(Figures said) {
    double kl = 0;
    for (int t = 0; t < said.logProbs().length; t++) {
      kl += said.logProbs()[t] - said.refLogProbs()[t];
    }
    return kl;
  }

  /** Seconds of this try by what they went into. */
  Map<String, Double> seconds() {
    Map<String, Double> seconds = new LinkedHashMap<>();
    seconds.put("rollout_seconds", rolloutSeconds);
    seconds.put("scoring_seconds", scoringSeconds);
    seconds.put("recomputation_seconds", recomputationSeconds);
    return seconds;
  }
}
