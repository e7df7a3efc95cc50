package dev.distillery.core.run;

import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/**
 * What every job can be told.
 *
 * @param warehouse where the tables are: a local path or any Hadoop URI
 * @param runId name of the run; the same name again resumes, or replaces what died
 * @param config recipe whose values stand under the command line's
 * @param randomSeed of everything that is drawn
 * @param dryRun plan and estimate, write nothing
 * @param use what the output is for; rows whose license does not allow it are refused or dropped
 * @param publishPartial whether a run that stops and may go on shows the rows that it has
 * @param overwrite run an id again, whatever it was run with; its result stays until the new one is
 *     committed
 * @param grace seconds that what is in flight gets to end once the process is told to
 * @param exitOnSignal exit status of a run that a signal has ended
 */
@WithBuilder
public record RunOptions(
    @Tunable
        @Required("name a folder or a URI")
        @Option(
            names = "--warehouse",
            paramLabel = "URI",
            defaultValue = "warehouse",
            description = "Folder of the tables: a local path or a Hadoop URI.")
        String warehouse,
    @Tunable
        @Option(
            names = "--run-id",
            paramLabel = "ID",
            description =
                "Name of the run; the same name again resumes it. Default: unique, ordered by time.")
        Optional<String> runId,
    @Tunable
        @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "YAML file of options, under those of the command line.")
        Optional<String> config,
    @Option(
            names = "--random-seed",
            paramLabel = "N",
            defaultValue = "42",
            description = "Seed of everything that is drawn.")
        long randomSeed,
    @Tunable
        @Option(
            names = "--dry-run",
            defaultValue = "false",
            description = "Plan and estimate, write nothing.")
        boolean dryRun,
    @Option(
            names = "--use",
            paramLabel = "research|commercial",
            description =
                "What the output is for; rows whose license does not clearly allow it are refused.")
        Optional<Use> use,
    @Tunable
        @Option(
            names = "--publish-partial",
            defaultValue = "false",
            description =
                "Publish what there is of a run that stops with exit 5 or 75 or by a signal, marked"
                    + " partial: only table@run_id names it, until the run goes on and replaces it.")
        boolean publishPartial,
    @Tunable
        @Option(
            names = "--overwrite",
            defaultValue = "false",
            description =
                "Run a --run-id again with the options and inputs of now, and replace its result as"
                    + " a whole at the end. Replies in its ledger serve the same requests.")
        boolean overwrite,
    @Tunable
        @Bounds(atLeast = 0)
        @Option(
            names = "--grace",
            paramLabel = "SECONDS",
            description =
                "After SIGTERM or Ctrl-C: how long what is in flight, such as requests to a teacher or"
                    + " a step of training, is waited for. A second signal waits for nothing. Default:"
                    + " 20; in training jobs 600.")
        Optional<Integer> grace,
    @Tunable
        @Bounds(oneOf = {"5", "75", "130", "143"})
        @Option(
            names = "--exit-on-signal",
            paramLabel = "CODE",
            description =
                "Exit code of a run that a signal ended; 75 for schedulers that try again by code."
                    + " Default: 143 for SIGTERM, 130 for Ctrl-C.")
        Optional<Integer> exitOnSignal)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static RunOptionsBuilder builder() {
    return RunOptionsBuilder.builder(OptionsBinder.defaults(RunOptions.class));
  }

  /** What a data set is used for. */
  public enum Use {
    RESEARCH,
    COMMERCIAL
  }

  @Override
  public List<String> violations() {
    return runId
        .filter(id -> !RunId.isValid(id))
        .map(
            id ->
                "Option --run-id: expected what matches "
                    + RunId.rule()
                    + ", found '"
                    + id
                    + "'; replace what is not a letter, digit, dot, underscore or dash")
        .stream()
        .toList();
  }
}
