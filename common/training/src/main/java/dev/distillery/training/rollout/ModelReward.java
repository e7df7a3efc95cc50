package dev.distillery.training.rollout;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.reward.RewardModel;
import dev.distillery.training.reward.SharedReward;
import dev.distillery.training.tokens.TemplateChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;

/**
 * A reward model as a reward. Prompt and answer are written anew as that model was taught to read
 * them, by its own tokenizer and template, and scored where the answer ends: at the mark that
 * closes it, at its last token where it was cut. A prompt of plain text is one turn of a user; a
 * template that writes a date writes the day the run began. Executors score, each with one copy of
 * the model; a score does not depend on who gives it.
 *
 * <p>An answer without a token, or one that with its prompt is longer than the model's context or
 * has no form in its template, has no score, which is told once.
 */
public final class ModelReward implements RewardFunction, AutoCloseable {
  private final JobRun run;
  private final String name;
  private final SharedReward.Access access;
  private final String template;
  private final TemplateInputs inputs;
  private final long heldBytes;
  private boolean told;

  private ModelReward(
      JobRun run,
      String name,
      SharedReward.Access access,
      String template,
      TemplateInputs inputs,
      long heldBytes) {
    this.run = run;
    this.name = name;
    this.access = access;
    this.template = template;
    this.inputs = inputs;
    this.heldBytes = heldBytes;
  }

  /**
   * Sends a reward model to executors, where there are any.
   *
   * @param model directory of the model or of its adapter
   * @param template name of a preset; empty takes the model's own
   * @throws ModelFileException if it is no reward model
   */
  public static ModelReward of(JobRun run, Path model, String template) throws IOException {
    SparkContext context = run.spark().sparkContext();
    int threads = context.isLocal() ? 0 : context.getConf().getInt("spark.executor.cores", 0);
    return new ModelReward(
        run,
        name(model),
        SharedReward.access(context, model, threads),
        template,
        told(model, template, run.day()),
        Float.BYTES * RewardModel.check(model).parameterCount());
  }

  /** What metrics call it: the last part of its path. */
  public static String name(Path model) {
    return String.valueOf(model.toAbsolutePath().normalize().getFileName());
  }

  /** Of the bytes of the model and of what it stands on. */
  public String hash() {
    return access.hash();
  }

  /** Bytes that it takes in each JVM, about. */
  public long heldBytes() {
    return heldBytes;
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public double[] rewards(List<Sampled> answers) {
    List<ScoreSampled.Asked> asked = new ArrayList<>();
    for (Sampled answer : answers) {
      List<String> turns = new ArrayList<>();
      for (Message turn : turns(answer.prompt())) {
        turns.add(turn.role());
        turns.add(turn.content());
      }
      asked.add(new ScoreSampled.Asked(turns, answer.answer(), answer.ended()));
    }
    List<ScoreSampled.Scored> scored = run.phase("Score answers by " + name, () -> score(asked));
    double[] rewards = new double[scored.size()];
    for (int i = 0; i < rewards.length; i++) {
      rewards[i] = scored.get(i).score();
      if (!scored.get(i).trouble().isEmpty() && !told) {
        told = true;
        run.progress()
            .say(
                "Warning: the reward model %s has no score for an answer to %s, from which nothing is learned: %s; such answers are counted as rewards/null"
                    .formatted(name, answers.get(i).prompt().id(), scored.get(i).trouble()));
      }
    }
    return rewards;
  }

  private static List<Message> turns(Prompt prompt) {
    return prompt.turns().isEmpty() ? List.of(new Message("user", prompt.text())) : prompt.turns();
  }

  private List<ScoreSampled.Scored> score(List<ScoreSampled.Asked> asked) {
    SparkContext context = run.spark().sparkContext();
    int tasks = Math.max(1, Math.min(asked.size(), context.defaultParallelism()));
    return JavaSparkContext.fromSparkContext(context)
        .parallelize(asked, tasks)
        .mapPartitions(new ScoreSampled(access, template, inputs))
        .collect();
  }

  /** Frees the model, where this JVM holds it. */
  @Override
  public void close() {
    SharedReward.release(access);
  }

  /**
   * Refuses what is no reward model, or has no such template, without reading its weights.
   *
   * @throws ModelFileException naming it
   * @throws IllegalArgumentException where there is no such template, or the model brings none
   */
  public static void check(Path model, String template) throws IOException {
    var unused = RewardModel.check(model);
    // Any day does to try the template.
    var unusedEncoder =
        RewardModel.encoder(model, template, told(model, template, LocalDate.now(ZoneOffset.UTC)));
  }

  private static TemplateInputs told(Path model, String template, LocalDate day)
      throws IOException {
    return TemplateChoice.told(
        RewardModel.base(model), template, TemplateOptions.builder().build(), day);
  }
}
