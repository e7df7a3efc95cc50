package dev.distillery.core.dialogue;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What a chat template is told beside the dialogue, the same in every job that writes dialogues in
 * one. Its test is {@code TemplateOptionsTest}.
 *
 * @param templateDate day that a model's own template takes for today; empty takes the run's
 * @param templateArgs JSON object of further names that a model's own template sees
 */
@WithBuilder
public record TemplateOptions(
    @Option(
            names = "--template-date",
            paramLabel = "DAY",
            description =
                "Day that a model's own chat template takes for today, such as 2026-11-29. Default:"
                    + " the day the run began, in UTC.")
        Optional<String> templateDate,
    @Option(
            names = "--template-args",
            paramLabel = "JSON",
            defaultValue = "{}",
            description =
                "Further names that a chat template sees, such as {\"enable_thinking\": false}; a"
                    + " server gets them as chat_template_kwargs.")
        String templateArgs)
    implements Validated {
  @Override
  public List<String> violations() {
    return TemplateInputs.objection(templateDate.orElse(""), templateArgs).stream().toList();
  }

  /** Whether either is given. */
  public boolean given() {
    return templateDate.isPresent() || hasArguments();
  }

  /** Whether further names are given. */
  public boolean hasArguments() {
    return new TemplateInputs("", templateArgs).hasArguments();
  }

  /**
   * What the template is told.
   *
   * @param day of the run
   */
  public TemplateInputs on(LocalDate day) {
    return new TemplateInputs(templateDate.orElseGet(day::toString), templateArgs);
  }

  /** Named setters over the declared defaults. */
  public static TemplateOptionsBuilder builder() {
    return TemplateOptionsBuilder.builder(OptionsBinder.defaults(TemplateOptions.class));
  }
}
