package dev.distillery.jobs.rate;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import java.util.ArrayList;
import java.util.HashSet;
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
 * @param format our page, or what another tool imports
 * @param serve whether items are shown by a server
 * @param raters who rates
 * @param ratingsPerItem raters that each item goes to
 * @param votes local file of votes
 * @param host address that is listened on
 * @param port port that is listened on
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
                    + " --serve or --collect: rating_items@RUN_ID, of the run that made the page."
                    + " May be given again.")
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
            paramLabel = "FILE",
            description =
                "The page that raters open, or the file of --format; must not be there yet, but"
                    + " with --overwrite.")
        Optional<String> output,
    @Option(
            names = "--format",
            defaultValue = "html",
            description =
                "html: our page; mturk: CSV of variables, escaped for a layout's HTML;"
                    + " label-studio: tasks as JSON; argilla: records as JSON. The last three have"
                    + " item, prompt, answer_1 and so on.")
        RateFormat format,
    @Option(
            names = "--serve",
            defaultValue = "false",
            description =
                "Serve --input rating_items@RUN_ID to many raters until each item has its ratings,"
                    + " or SIGTERM.")
        boolean serve,
    @OnlyWith(option = "--serve")
        @Option(
            names = "--raters",
            paramLabel = "A,B",
            split = ",",
            description =
                "Who rates: each gets a link, in the file that is called as --votes, begins with"
                    + " a dot and ends in .links.")
        List<String> raters,
    @OnlyWith(option = "--serve")
        @Bounds(atLeast = 1)
        @Option(
            names = "--ratings-per-item",
            paramLabel = "N",
            defaultValue = "1",
            description = "Raters that each item goes to; items that test attention go to all.")
        int ratingsPerItem,
    @OnlyWith(option = "--serve")
        @Option(
            names = "--votes",
            paramLabel = "FILE",
            description =
                "Local file that votes are appended to, each before it is acknowledged; a server"
                    + " that is given it again goes on. --collect reads it.")
        Optional<String> votes,
    @OnlyWith(option = "--serve")
        @Option(
            names = "--host",
            paramLabel = "ADDRESS",
            defaultValue = "127.0.0.1",
            description =
                "Address that is listened on. There is no TLS: put a proxy before others.")
        String host,
    @OnlyWith(option = "--serve")
        @Bounds(atLeast = 0, atMost = 65535)
        @Option(
            names = "--port",
            paramLabel = "N",
            defaultValue = "0",
            description = "Port that is listened on; 0: any that is free.")
        int port,
    @Option(
            names = "--collect",
            paramLabel = "FILES",
            description =
                "What raters have exported, one JSON object a line; files, folders or patterns. May"
                    + " be given again.")
        List<String> collect)
    implements Validated {
  public RateOptions {
    raters = raters.stream().map(String::strip).toList();
  }

  /** Named setters over the declared defaults. */
  public static RateOptionsBuilder builder() {
    return RateOptionsBuilder.builder(OptionsBinder.defaults(RateOptions.class));
  }

  RateMode mode() {
    return !collect.isEmpty() ? RateMode.COLLECT : serve ? RateMode.SERVE : RateMode.MAKE;
  }

  private List<String> ofServing() {
    List<String> violations = new ArrayList<>();
    if (votes.isEmpty()) {
      violations.add("Option --votes is required with --serve: name a local file");
    }
    if (raters.stream()
            .anyMatch(
                name ->
                    name.isBlank()
                        || name.strip().length() > 100
                        || name.chars().anyMatch(Character::isISOControl))
        || new HashSet<>(raters).size() < raters.size()
        || raters.size() < ratingsPerItem) {
      violations.add(
          "Option --raters: expected different names, "
              + ratingsPerItem
              + " (--ratings-per-item) or more, found '"
              + String.join(",", raters)
              + "'");
    }
    return violations;
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
      case SERVE -> violations.addAll(ofServing());
      case COLLECT -> {
        if (serve) {
          violations.add("Options --serve and --collect: give one, each is a run of its own");
        }
      }
    }
    if (mode() != RateMode.MAKE) {
      String other = mode() == RateMode.SERVE ? "--serve" : "--collect";
      output.ifPresent(
          file ->
              violations.add(
                  "Option --output has no effect with " + other + ": no page is written"));
      if (form != RateForm.PAIRWISE || format != RateFormat.HTML) {
        violations.add(
            "Options --form and --format have no effect with "
                + other
                + ": the items say their own");
      }
      if (!against.isEmpty() || !attention.isEmpty()) {
        violations.add(
            "Options --against and --attention have no effect with "
                + other
                + ": the items are made already");
      }
    }
    return violations;
  }
}
