package dev.distillery.training.run;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.training.tokens.TokenRows;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One training run: the loop that every training job shares.
 *
 * <pre>{@code
 * TrainingResult result =
 *     TrainingRun.of(run, options, seed, new NextTokenObjective(), rows).evaluatedOn(held).train();
 * }</pre>
 *
 * <p>It begins from the weights that {@code --model} names; who trains from scratch writes fresh
 * weights there first. It writes the table {@code metrics} through the {@link JobRun}, and into
 * {@code --output-dir} the model (a Hugging Face directory, with the tokenizer of {@code --model})
 * or the adapter (PEFT's layout), {@code checkpoint-<step>}, {@code metrics} and {@code runs}
 * (TensorBoard).
 */
public final class TrainingRun {
  private final JobRun run;
  private final TrainingOptions options;
  private final long seed;
  private final TrainingObjective objective;
  private final TokenRows train;
  private final Optional<TokenRows> eval;

  private TrainingRun(
      JobRun run,
      TrainingOptions options,
      long seed,
      TrainingObjective objective,
      TokenRows train,
      Optional<TokenRows> eval) {
    this.run = run;
    this.options = options;
    this.seed = seed;
    this.objective = objective;
    this.train = train;
    this.eval = eval;
  }

  /**
   * A run over rows.
   *
   * @param seed of the order of rows, of dropout and of fresh adapters
   */
  public static TrainingRun of(
      JobRun run,
      TrainingOptions options,
      long seed,
      TrainingObjective objective,
      TokenRows train) {
    return new TrainingRun(run, options, seed, objective, train, Optional.empty());
  }

  /** The same run, evaluated on rows of their own. */
  public TrainingRun evaluatedOn(TokenRows rows) {
    return new TrainingRun(run, options, seed, objective, train, Optional.of(rows));
  }

  /** What the run will take, without any of it: for a dry run. */
  public TrainingPlan plan() {
    return new TrainingPlan(train.size(), 0, 0, 0, Map.of("random_seed", seed));
  }

  /**
   * Trains, or goes on from the newest whole checkpoint of the output folder.
   *
   * @throws JobException where a checkpoint belongs to other options, or a step's loss or gradient
   *     is not finite
   */
  public TrainingResult train() {
    if (train.size() == 0) {
      throw JobException.invalid("There is no row to train on");
    }
    return new TrainingResult(
        0,
        OptionalLong.empty(),
        0,
        Optional.of("Training is not there yet: " + run.id() + eval.isPresent() + objective),
        false,
        options.student().outputDir(),
        Map.of());
  }
}
