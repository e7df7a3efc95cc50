package dev.distillery.jobs.rate;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What job `rate` can be told.
 *
 * @param run what every job can be told
 * @param input the answers that are rated; of a collection, the items that were made of them
 * @param against the answers that they are compared with
 * @param form what people are asked
 * @param numItems items at most
 * @param attention comparisons whose outcome is known
 * @param guidelines file of a text that raters see first
 * @param output the page
 * @param collect files of votes that are taken back
 */
@WithBuilder
public record RateOptions(
    RunOptions run,
    @Required("name the answers that people rate, or with --collect the table rating_items")
        @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "The answers to be rated: completions, instructions, or files with the columns id,"
                    + " prompt or instruction (with input), and text, output or answer. With"
                    + " --collect: rating_items@RUN_ID, of the run that made the page. May be given"
                    + " again.")
        List<String> input,
    @OnlyWith(option = "--form", is = "pairwise")
        @Option(
            names = "--against",
            paramLabel = "REF",
            description =
                "The answers that they are compared with (b), under the same ids. May be given"
                    + " again.")
        List<String> against,
    @Option(
            names = "--form",
            defaultValue = "pairwise",
            description =
                "pairwise: which of two answers is better; ranking: the order of 4 to 9 answers"
                    + " that share an id; audit: is the instruction valid, the input fitting, the"
                    + " output right; rating: four levels, a to d; demonstration: people write the"
                    + " answer, or correct the one there is.")
        RateForm form,
    @Bounds(atLeast = 1, atMost = 10_000)
        @Option(
            names = "--num-items",
            paramLabel = "N",
            defaultValue = "200",
            description = "Items at most, drawn by the seed.")
        int numItems,
    @OnlyWith(option = "--form", is = "pairwise")
        @Option(
            names = "--attention",
            paramLabel = "REF",
            description =
                "Preferences that every attentive rater agrees with, mixed among the items: figures"
                    + " say how often a rater does. May be given again.")
        List<String> attention,
    @Option(
            names = "--guidelines",
            paramLabel = "FILE",
            description = "A text that raters see first.")
        Optional<String> guidelines,
    @Option(
            names = "--output",
            paramLabel = "FILE.html",
            description = "The page that raters open; must not be there yet, but with --overwrite.")
        Optional<String> output,
    @Option(
            names = "--collect",
            paramLabel = "FILES",
            description =
                "What raters have exported, one JSON object a line; files, folders or patterns. May"
                    + " be given again.")
        List<String> collect)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static RateOptionsBuilder builder() {
    return RateOptionsBuilder.builder(OptionsBinder.defaults(RateOptions.class));
  }

  RateMode mode() {
    return collect.isEmpty() ? RateMode.MAKE : RateMode.COLLECT;
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>();
    switch (mode()) {
      case MAKE -> {
        if (form == RateForm.PAIRWISE && against.isEmpty()) {
          violations.add(
              "Option --against is required with --form pairwise: name the other answers");
        }
        if (output.isEmpty()) {
          violations.add("Option --output is required where a page is made: name an HTML file");
        }
      }
      case SERVE -> {}
      case COLLECT -> {
        output.ifPresent(
            file ->
                violations.add(
                    "Option --output has no effect with --collect: votes become tables of the"
                        + " warehouse"));
      }
    }
    return violations;
  }
}
