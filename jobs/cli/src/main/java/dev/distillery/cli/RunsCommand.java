package dev.distillery.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.TerminalText;
import dev.distillery.spark.job.RunList;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.deploy.SparkHadoopUtil;

/** Prints the runs of a warehouse: state, tables, sizes, what went in. */
final class RunsCommand implements PlainCommand<RunsOptions> {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB"};

  @Override
  public String name() {
    return "runs";
  }

  @Override
  public String purpose() {
    return "List the runs of a warehouse: states, tables, sizes, what went in.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        The newest first, those that run or died before their first end ahead of all. A run is
        running, or died (its driver ended without a word: the same command goes on), partial (it
        stopped at a limit or a temporary trouble: the same command goes on), failed, or done.
        Sizes are those that the runs' records tell: no table is read.
        """,
        "the records of a warehouse.",
        "nothing but standard output.",
        "distillery runs",
        "distillery runs instructions --state done --json");
  }

  @Override
  public Class<RunsOptions> optionsType() {
    return RunsOptions.class;
  }

  @Override
  public Optional<String> bareWord() {
    return Optional.of("table");
  }

  @Override
  public boolean needsSpark() {
    return false;
  }

  @Override
  public ExitCode run(RunsOptions options, PrintStream out) {
    Configuration hadoop = SparkHadoopUtil.get().conf();
    Warehouse warehouse = Warehouse.at(options.warehouse(), hadoop);
    List<RunList.Entry> runs =
        new RunList(warehouse)
            .newestFirst()
            .filter(run -> options.state().filter(state -> state != run.state()).isEmpty())
            .filter(run -> holds(options.job(), run, RunsCommand::isOf))
            .filter(run -> holds(options.table(), run, RunRecord::has))
            .limit(options.limit() == 0 ? Long.MAX_VALUE : options.limit() + 1L)
            .toList();
    boolean more = options.limit() > 0 && runs.size() > options.limit();
    List<RunList.Entry> shown = more ? runs.subList(0, options.limit()) : runs;
    if (options.json()) {
      shown.forEach(run -> out.println(json(run)));
      return ExitCode.DONE;
    }
    shown.forEach(run -> print(run, out));
    if (shown.isEmpty()) {
      out.println("No such run in " + warehouse.root());
    } else if (more) {
      out.println("There are older ones: --limit 0 prints all");
    }
    return ExitCode.DONE;
  }

  /** Whether a record tells what a filter asks for. */
  private interface Telling {
    boolean tells(RunRecord record, String value);
  }

  private static boolean holds(Optional<String> wanted, RunList.Entry run, Telling telling) {
    return wanted.isEmpty()
        || run.record().filter(record -> telling.tells(record, wanted.get())).isPresent();
  }

  private static boolean isOf(RunRecord record, String job) {
    return record.job().equals(job);
  }

  private static void print(RunList.Entry run, PrintStream out) {
    Optional<RunRecord> record = run.record();
    String state = run.state().name().toLowerCase(Locale.ROOT);
    var line = new StringBuilder(run.runId());
    record.ifPresent(known -> line.append("  ").append(known.job()));
    line.append("  ").append(state);
    run.driver().ifPresent(driver -> line.append("  driver ").append(driver));
    record.ifPresent(
        known ->
            line.append(
                known.status().equals(RunRecord.RUNNING)
                    ? "  since " + known.startedAt()
                    : (run.driver().isPresent() ? "; before: " + known.status() : "")
                        + "  "
                        + known.finishedAt()));
    out.println(TerminalText.safe(line.toString()));
    record.ifPresent(known -> details(known, out));
    out.println();
  }

  private static void details(RunRecord record, PrintStream out) {
    if (!record.message().isEmpty()) {
      out.println("  " + TerminalText.safe(record.message().lines().findFirst().orElse("")));
    }
    new TreeMap<>(record.tables())
        .forEach(
            (name, table) ->
                out.println(
                    String.format(
                        Locale.ROOT,
                        "  %-14s %,15d rows  %10s",
                        TerminalText.safe(name),
                        table.rows(),
                        size(table.bytes()))));
    for (ObjectNode input : record.inputs()) {
      out.println("  from " + TerminalText.safe(input.path("ref").asText(input.toString())));
    }
  }

  private static ObjectNode json(RunList.Entry run) {
    ObjectNode node = JSON.createObjectNode();
    node.put("run_id", run.runId());
    node.put("state", run.state().name().toLowerCase(Locale.ROOT));
    run.driver().ifPresent(driver -> node.put("driver", driver));
    run.record()
        .ifPresent(
            record -> {
              node.put("job", record.job());
              node.put("status", record.status());
              node.put("exit_code", record.exitCode());
              node.put("message", record.message());
              node.put("started_at", record.startedAt());
              node.put("finished_at", record.finishedAt());
              ObjectNode tables = node.putObject("tables");
              new TreeMap<>(record.tables())
                  .forEach(
                      (name, table) ->
                          tables
                              .putObject(name)
                              .put("path", table.path())
                              .put("rows", table.rows())
                              .put("bytes", table.bytes()));
              var inputs = node.putArray("inputs");
              record.inputs().forEach(input -> inputs.add(input.path("ref").asText()));
            });
    return node;
  }

  /** A size as a person reads it: {@code 512 B}, {@code 1.4 GB}. */
  static String size(long bytes) {
    double size = bytes;
    int unit = 0;
    while (size >= 1000 && unit < UNITS.length - 1) {
      size /= 1000;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", size, UNITS[unit]);
  }
}
