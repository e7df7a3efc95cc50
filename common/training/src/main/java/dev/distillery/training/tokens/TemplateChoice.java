package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.dialogue.TemplateOptions;
import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.spark.job.JobRun;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;

/** What the chat template that a training job writes rows in is told beside the dialogue. */
public final class TemplateChoice {
  private TemplateChoice() {}

  /** What the template of a run is told; the day that it writes is said. */
  public static TemplateInputs told(JobRun run, Path model, String name, TemplateOptions options)
      throws IOException {
    TemplateInputs told = told(model, name, options, run.day());
    told.day()
        .ifPresent(
            day ->
                run.progress()
                    .say("The template writes a date: %s (--template-date)".formatted(day)));
    return told;
  }

  /**
   * A day only where the template writes one, so that the tokens of a template that does not are
   * the same on any day; and the arguments.
   *
   * @param model that brings its own template along
   * @param name of a preset; empty takes the model's own
   * @param day of the run: that of its first try, so that a run that is resumed writes the same
   * @throws JobException where an option has no effect on the template
   */
  public static TemplateInputs told(Path model, String name, TemplateOptions options, LocalDate day)
      throws IOException {
    boolean writesDate;
    try (ModelFiles files = ModelFiles.open(model)) {
      writesDate =
          name.isEmpty()
              && ModelTemplates.read(files).filter(ModelTemplates::writesDate).isPresent();
    }
    String template = name.isEmpty() ? "the model's own template" : "the template " + name;
    if (options.templateDate().isPresent() && !writesDate) {
      throw JobException.invalid(
          "Option --template-date: %s writes no date: leave it out".formatted(template));
    }
    if (options.hasArguments() && !name.isEmpty()) {
      throw JobException.invalid(
          "Option --template-args: %s takes no arguments: leave it out".formatted(template));
    }
    TemplateInputs inputs = options.on(day);
    return writesDate ? inputs : inputs.on("");
  }
}
