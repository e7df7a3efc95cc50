package dev.distillery.jobs.ingest;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.SourceSettings;
import dev.distillery.datasets.Tagging;
import dev.distillery.datasets.read.InputFile;
import dev.distillery.datasets.read.InputFiles;
import dev.distillery.datasets.units.UnitReader;
import dev.distillery.datasets.units.Units;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Row;

/**
 * Reads a public data set's files into its table; every unit is kept, a duplicate or a reject. See
 * {@link #manual}.
 *
 * <pre>{@code
 * IngestOptions options =
 *     IngestOptions.builder().source(Sources.ALPACA).input(List.of("alpaca_data.json")).build();
 * IngestSummary summary = new IngestJob().run(spark, options);
 * System.out.println(summary.rows() + " rows under " + summary.license());
 * Dataset<Row> rows = spark.read().parquet(summary.tables().get("instructions").path());
 * }</pre>
 */
public final class IngestJob implements Job<IngestOptions, IngestSummary> {
  /** Files that a refusal names. */
  private static final int MOST_MISSING = 5;

  @Override
  public String name() {
    return "ingest";
  }

  @Override
  public String purpose() {
    return "Read a public data set into its canonical table, with its license.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        A file that is not what it is named ends the job before it writes anything; a bad row
        becomes a reject with file, line or byte, and rule.
        """,
        "files as their source publishes them: a JSON array, JSON Lines, an XML dump or text, "
            + "plain or compressed with gzip, zstd or bzip2, on any file system of Hadoop.",
        "the source's table (conversations, instructions, preferences or documents), duplicates, "
            + "rejects.",
        "distillery ingest --source sharegpt --input 'raw/sharegpt/*.json' --html always",
        "distillery ingest --source stackexchange --input coffee.stackexchange.com/Posts.xml",
        "distillery ingest --source hh-rlhf --input s3a://bucket/hh-rlhf/harmless-base/ --use commercial");
  }

  @Override
  public Class<IngestOptions> optionsType() {
    return IngestOptions.class;
  }

  @Override
  public Class<IngestSummary> summaryType() {
    return IngestSummary.class;
  }

  @Override
  public RunOptions runOptions(IngestOptions options) {
    return options.run();
  }

  @Override
  public void check(IngestOptions options) {
    SourceSettings settings = options.settings();
    checkUse(options, Tagging.of(options.source().registryName(), settings));
    Source source = options.source().create(settings, options.run().randomSeed());
    List<String> missing =
        options.input().stream()
            .flatMap(path -> paths(path).stream())
            .flatMap(path -> source.missingFor(path).stream())
            .limit(MOST_MISSING)
            .toList();
    if (!missing.isEmpty()) {
      throw JobException.invalid(missing);
    }
  }

  private static List<String> paths(String input) {
    try {
      return PathNames.find(input, SparkHadoopUtil.get().conf()).files().stream()
          .map(file -> file.getPath().toString())
          .toList();
    } catch (IOException e) {
      throw new JobException(ExitCode.TEMPORARY, "Cannot list " + input + ": " + e.getMessage(), e);
    }
  }

  @Override
  public List<TableRef> inputs(IngestOptions options) {
    return options.input().stream().<TableRef>map(TableRef.Files::new).toList();
  }

  @Override
  public Outcome<IngestSummary> perform(JobRun run, IngestOptions options) throws IOException {
    SourceSettings settings = options.settings();
    Source source = options.source().create(settings, options.run().randomSeed());
    Tagging tagging = Tagging.of(options.source().registryName(), settings);
    Map<String, List<FileStatus>> named = new LinkedHashMap<>();
    for (String path : options.input()) {
      PathNames.Found found = run.files(path);
      found.passedOver(path).ifPresent(run.progress()::say);
      named.put(path, found.files());
    }
    InputFiles files = InputFiles.of(named, source.expected(), run.warehouse().hadoop());
    if (!files.refusals().isEmpty()) {
      throw JobException.invalid(files.refusals());
    }
    if (files.files().isEmpty()) {
      throw JobException.invalid("All files of " + options.input() + " are empty");
    }
    files.empty().forEach(path -> run.progress().say("Empty: " + path));
    long bytes = bytes(files);
    run.progress().say("Read " + files.files().size() + " files, " + bytes + " bytes");
    if (run.dryRun()) {
      Units.Counts nothing = new Units.Counts(0, 0, 0, Map.of(), 0, Map.of());
      return Outcome.done(summary(run, tagging, files, 0, nothing, 0));
    }
    UnitReader.Parsed parsed =
        UnitReader.read(run.spark(), source, files.files(), options.splitBytes(), options.limits());
    try (Units units = run.phase("Parse " + bytes + " bytes", () -> new Units(parsed.units()))) {
      Units.Counts counts = run.phase("Count units", units::counts);
      if (counts.kept() == 0) {
        throw JobException.invalid(
            "No "
                + source.unit()
                + " of "
                + counts.units()
                + " can be used: "
                + counts.rejects()
                + "; is --source "
                + source.name()
                + " what the files hold? The first: "
                + firstReject(units));
      }
      if (!counts.unread().isEmpty()) {
        run.progress()
            .say("Not read, as no reader of " + source.name() + " knows them: " + counts.unread());
      }
      long rows = run.write(source.table(), units.rows());
      run.write(Tables.DUPLICATES, units.duplicates());
      run.write(Tables.REJECTS, units.rejects(name()));
      return Outcome.done(
          summary(run, tagging, files, parsed.tasks(), counts, rows),
          RowAccount.of(source.unit(), counts.units(), counts.kept())
              .duplicates(counts.duplicates())
              .rejects(counts.rejects()));
    }
  }

  private static void checkUse(IngestOptions options, Tagging tagging) {
    Optional<String> objection =
        options
            .run()
            .use()
            .flatMap(
                use ->
                    new UsePolicy(use)
                        .objection(options.source().registryName(), tagging.license()));
    if (objection.isPresent()) {
      throw JobException.invalid(
          objection.get()
              + ": leave it out, or read it with --use research; a license of your own is given by"
              + " --license");
    }
  }

  private static String firstReject(Units units) {
    List<Row> first = units.rejects("ingest").sort("id").limit(1).collectAsList();
    return first.isEmpty() ? "" : first.get(0).getString(1) + ": " + first.get(0).getString(3);
  }

  private static long bytes(InputFiles found) {
    return found.files().stream().mapToLong(InputFile::length).sum();
  }

  private static IngestSummary summary(
      JobRun run, Tagging tagging, InputFiles found, int tasks, Units.Counts counts, long rows) {
    return new IngestSummary(
        run.summary(),
        tagging.license(),
        found.files().size(),
        found.empty().size(),
        bytes(found),
        tasks,
        counts.units(),
        counts.kept(),
        counts.duplicates(),
        counts.rejected(),
        rows,
        counts.leftOver(),
        counts.unread().entrySet().stream()
            .map(field -> field.getKey() + "=" + field.getValue())
            .toList());
  }
}
