package dev.distillery.cli;

import dev.distillery.core.run.Required;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What {@code pipeline} can be told.
 *
 * @param run what every job can be told; its stages are told the same
 * @param recipe a packaged recipe's name, or a file
 * @param set values of the recipe's variables, as {@code NAME=VALUE}
 * @param from first stage that is run; the ones before it are done
 * @param to last stage that is run
 * @param only the one stage that is run
 */
record PipelineOptions(
    RunOptions run,
    @Required("name a recipe or a file")
        @Option(
            names = "--recipe",
            paramLabel = "NAME_OR_FILE",
            description =
                "Stages with their jobs: a packaged recipe's name, a path or a Hadoop URI.")
        String recipe,
    @Option(
            names = "--set",
            paramLabel = "NAME=VALUE",
            description =
                "Value of one of the recipe's variables; setting=NAME takes one of its settings."
                    + " out=DIR is where models and the page go. May be repeated.")
        List<String> set,
    @Option(
            names = "--from",
            paramLabel = "STAGE",
            description = "First stage to run; those before it are done.")
        Optional<String> from,
    @Option(names = "--to", paramLabel = "STAGE", description = "Last stage to run.")
        Optional<String> to,
    @Option(
            names = "--only",
            paramLabel = "STAGE",
            description = "The one stage to run, as a scheduler does that submits each by itself.")
        Optional<String> only)
    implements Validated {

  /** The variables' values, by name. */
  Map<String, String> values() {
    var values = new LinkedHashMap<String, String>();
    for (String text : set) {
      int sign = text.indexOf('=');
      values.put(text.substring(0, sign), text.substring(sign + 1));
    }
    return values;
  }

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    var names = new HashSet<String>();
    for (String text : set) {
      int sign = text.indexOf('=');
      if (sign < 1) {
        violations.add("Option --set: expected NAME=VALUE, found '" + text + "'");
      } else if (!names.add(text.substring(0, sign))) {
        violations.add("Option --set: " + text.substring(0, sign) + " is given twice");
      }
    }
    if (only.isPresent() && (from.isPresent() || to.isPresent())) {
      violations.add("Option --only: expected without --from and --to; leave them out");
    }
    return violations;
  }
}
