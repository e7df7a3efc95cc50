package dev.distillery.jobs.inspect;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.model.format.ModelConfigs;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Says what a model is and what it takes. See {@link #manual}.
 *
 * <pre>{@code
 * InspectOptions options = InspectOptions.builder().model("llama-7b").build();
 * InspectSummary summary = new InspectJob().run(spark, options);
 * System.out.println(summary.sizes().parameters() + " parameters");
 * System.out.println(summary.estimate().trainingHours() + " hours to train");
 * }</pre>
 */
public final class InspectJob implements Job<InspectOptions, InspectSummary> {
  @Override
  public String name() {
    return "inspect";
  }

  @Override
  public String purpose() {
    return "Say what a model is, what it needs, and whether its tokenizer gives texts back.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Checks that a model's tensors are those that its configuration calls for, and says in the
        summary: architecture and sizes, parameters and how they are stored, memory to hold, run
        and train it, hours and dollars of a training run beside published ones, and how many of
        some awkward texts its tokenizer gives back. With a configuration's name instead of a path,
        the same without files.
        """,
        "a model's files, on the driver; no table.",
        "no table.",
        "distillery inspect --model SmolLM2-135M-Instruct.Q4_1.gguf");
  }

  @Override
  public Class<InspectOptions> optionsType() {
    return InspectOptions.class;
  }

  @Override
  public Class<InspectSummary> summaryType() {
    return InspectSummary.class;
  }

  @Override
  public boolean needsSpark() {
    return false;
  }

  @Override
  public RunOptions runOptions(InspectOptions options) {
    return options.run();
  }

  @Override
  public Outcome<InspectSummary> perform(JobRun run, InspectOptions options) throws IOException {
    var inspector =
        new Inspector(
            run.summary(), options.hardware(), options.trainingTokens(), options.sequenceLength());
    boolean named = ModelConfigs.names().contains(options.model());
    if (named && !Files.exists(Path.of(options.model()))) {
      return Outcome.done(inspector.look(ModelConfigs.named(options.model())));
    }
    try (ModelFiles model = ModelFiles.open(Path.of(options.model()))) {
      return Outcome.done(inspector.look(model));
    } catch (ModelFileException e) {
      throw JobException.invalid(
          e.getMessage()
              + "; option --model takes a path, or one of "
              + String.join(", ", ModelConfigs.names()));
    }
  }
}
