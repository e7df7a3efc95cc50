package dev.distillery.jobs.curate;

import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.datasets.mix.SplitShares;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/**
 * Which of the kept rows are taken, and for what.
 *
 * @param split splits with their shares
 * @param takeSplit splits that are written; none is all
 * @param cap most rows of one source; 0 for no bound
 */
@WithBuilder
public record MixOptions(
    @Option(
            names = "--split",
            paramLabel = "NAME=SHARE,...",
            split = ",",
            description =
                "Splits with shares whose sum is 1, by a hash of --random-seed and group_id,"
                    + " task_id or id; written to the column split.")
        List<String> split,
    @Option(
            names = "--take-split",
            paramLabel = "NAME,...",
            split = ",",
            description = "Write the rows of these splits alone.")
        List<String> takeSplit,
    @Bounds(atLeast = 0)
        @Option(
            names = "--cap",
            paramLabel = "N",
            defaultValue = "0",
            description = "Most rows of one source, drawn by a hash of the id. 0: no bound.")
        long cap)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static MixOptionsBuilder builder() {
    return MixOptionsBuilder.builder(OptionsBinder.defaults(MixOptions.class));
  }

  @Override
  public List<String> violations() {
    List<String> violations = new ArrayList<>(SplitShares.violations(split));
    if (violations.isEmpty() && !split.isEmpty()) {
      List<String> names = SplitShares.of(split).names();
      takeSplit.stream()
          .filter(name -> !names.contains(name))
          .forEach(
              name ->
                  violations.add(
                      "Option --take-split: expected some of "
                          + String.join(", ", names)
                          + ", found '"
                          + name
                          + "'"));
    }
    return violations;
  }
}
