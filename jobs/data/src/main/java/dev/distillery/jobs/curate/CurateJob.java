package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.filter.RowFilters;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.WeightedRef;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;

/**
 * Makes a training set of tables: rows that the use does not clearly allow, and those that filters
 * drop, become rejects; personal data is replaced; splits, weights and caps take rows. See {@link
 * #manual}.
 *
 * <pre>{@code
 * List<String> input = List.of("instructions@alpaca", "instructions@dolly=2");
 * List<String> filter = List.of("alpaca-cleaned", "length:min-words=3,of=answer");
 * CurateOptions options = CurateOptions.builder().input(input).filter(filter).build();
 * CurateSummary summary = new CurateJob().run(spark, options);
 * System.out.println(summary.kept() + " rows are kept; dropped: " + summary.dropped());
 * }</pre>
 */
public final class CurateJob implements Job<CurateOptions, CurateSummary> {
  @Override
  public String name() {
    return "curate";
  }

  @Override
  public String purpose() {
    return "Make a training set of tables: licenses, filters, redaction, splits, weights, export.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Keeps the rows that --use clearly allows and that no filter drops; replaces personal data;
        parts rows into splits and takes of each input and source what is asked for, the same rows
        on any number of partitions. The run's record lists the sources that are left, their
        licenses, and who is to be named. --dry-run says what each rule would drop.
        """,
        "tables or files of one canonical table that has source and license.",
        "that table (or what --as names); rejects: each row that --use does not clearly allow or a "
            + "filter drops, with the rule; with --as conversations also duplicates.",
        "distillery curate --input instructions@alpaca --input instructions@dolly --use commercial",
        "distillery curate --input instructions --filter alpaca-cleaned --filter refusal --redact"
            + " email,phone --split train=0.95,validation=0.05 --export alpaca-curated",
        "distillery curate --input preferences --split sft=0.4,reward=0.3,rl=0.2,evaluation=0.1 "
            + "--take-split sft --as conversations");
  }

  @Override
  public Class<CurateOptions> optionsType() {
    return CurateOptions.class;
  }

  @Override
  public Class<CurateSummary> summaryType() {
    return CurateSummary.class;
  }

  @Override
  public RunOptions runOptions(CurateOptions options) {
    return options.run();
  }

  @Override
  public void check(CurateOptions options) {
    List<WeightedRef> inputs = weighted(options);
    Table table = table(options, inputs);
    List<String> violations = new ArrayList<>();
    if (!UsePolicy.canJudge(table)) {
      violations.add(
          "Table " + table.name() + " has no columns source and license: curate cannot judge it");
    }
    boolean texts =
        !options.filter().isEmpty()
            || !options.redact().isEmpty()
            || !options.decontaminate().isEmpty();
    if (texts && !RowTexts.TABLES.contains(table.name())) {
      violations.add(
          "Options --filter, --redact and --decontaminate: expected a table of "
              + String.join(", ", RowTexts.TABLES)
              + ", found "
              + table.name());
    }
    Configuration hadoop = SparkHadoopUtil.get().conf();
    violations.addAll(
        RowFilters.violations(
            options.filter(), Optional.of(table.name()), new FilterFiles(hadoop)));
    if (options.as().isPresent() && !table.equals(Tables.PREFERENCES)) {
      violations.add("Option --as: expected the table preferences, found " + table.name());
    }
    boolean splits = List.of(table.schema().fieldNames()).contains("split");
    if (!options.mix().takeSplit().isEmpty() && options.mix().split().isEmpty() && !splits) {
      violations.add(
          "Option --take-split: the table "
              + table.name()
              + " has no column split; draw splits with --split");
    }
    violations.addAll(exportViolations(options, hadoop));
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    Tables.checkOutput(options.outputTable(), output(options, table));
  }

  private List<String> exportViolations(CurateOptions options, Configuration hadoop) {
    List<TableRef> read = new ArrayList<>(inputs(options));
    RowFilters.files(options.filter()).forEach(file -> read.add(new TableRef.Files(file)));
    try {
      return HubExport.violations(options.export(), options.run().warehouse(), read, hadoop);
    } catch (IOException e) {
      throw new JobException(
          ExitCode.TEMPORARY, "Option --export: cannot look there: " + e.getMessage(), e);
    }
  }

  private static List<WeightedRef> weighted(CurateOptions options) {
    return options.input().stream().map(WeightedRef::parse).toList();
  }

  private static Table table(CurateOptions options, List<WeightedRef> inputs) {
    return Tables.of(inputs.stream().map(WeightedRef::ref).toList(), options.table());
  }

  private static Table output(CurateOptions options, Table table) {
    return options.as().isPresent() ? Tables.CONVERSATIONS : table;
  }

  @Override
  public List<TableRef> inputs(CurateOptions options) {
    return TableRef.parse(
        Stream.concat(
                weighted(options).stream().map(WeightedRef::ref), options.decontaminate().stream())
            .toList());
  }

  @Override
  public Map<String, String> contents(CurateOptions options, Configuration hadoop) {
    Map<String, String> contents = new LinkedHashMap<>();
    for (String file : RowFilters.files(options.filter())) {
      contents.put(
          "filter file " + file,
          StableIds.of(new FilterFiles(hadoop).apply(file).toArray(String[]::new)));
    }
    return contents;
  }

  @Override
  public Outcome<CurateSummary> perform(JobRun run, CurateOptions options) throws IOException {
    List<WeightedRef> inputs = weighted(options);
    Table table = table(options, inputs);
    Table output = output(options, table);
    String name = options.outputTable().orElse(output.name());
    Optional<HubExport> export = HubExport.of(run, options);
    Consumer<StructType> look =
        schema -> {
          if (options.as().isEmpty()) {
            export.ifPresent(folder -> folder.check(schema));
          }
        };
    try (var curation = new Curation(run, options, table, inputs, look)) {
      Curation.Counts counts = run.phase("Judge " + options.input(), curation::counts);
      long duplicates = curation.duplicates();
      Curation.Taken taken = run.phase("Count what is taken", () -> curation.taken(options));
      say(run, inputs, curation, counts, taken);
      sayMissing(run, options, taken);
      export.ifPresent(folder -> folder.check(taken.splits().keySet()));
      if (counts.rows() > 0 && taken.kept() == 0) {
        throw JobException.invalid(nothing(curation, counts, taken));
      }
      CurateSummary summary = summary(run, inputs, curation, counts, duplicates, taken);
      var account =
          RowAccount.of("rows", counts.rows(), taken.kept())
              .duplicates(duplicates)
              .leftOver(taken.leftOver());
      if (run.dryRun()) {
        return Outcome.done(summary, account.rejects(counts.dropped()));
      }
      long written = run.write(output, name, curation.written(output));
      if (written != taken.rows()) {
        throw new JobException(
            ExitCode.UNEXPECTED,
            "Of " + taken.rows() + " rows " + written + " were written; did the input change?");
      }
      long duplicateRows =
          options.as().isPresent() ? run.write(Tables.DUPLICATES, curation.duplicateRows()) : 0;
      Dataset<Row> rejected = curation.rejected();
      Map<String, Long> rejects =
          run.reject(
              rejected,
              col(TextPass.RULE),
              col(TextPass.DETAIL),
              to_json(struct(columnsBut(rejected, TextPass.RULE, TextPass.DETAIL))));
      if (export.isPresent()) {
        checkSums(account.rejects(rejects), counts.dropped(), duplicateRows);
        export.get().write(run.staged(name), output, name);
      }
      return Outcome.done(summary, account.rejects(rejects));
    }
  }

  /**
   * What is moved to a folder of the user's is not taken back, so the sums are looked at before, as
   * far as they are known here.
   */
  static void checkSums(RowAccount account, Map<String, Long> dropped, long duplicateRows) {
    long sum = account.kept() + account.duplicates() + account.rejected() + account.leftOver();
    if (account.in() != sum
        || account.duplicates() != duplicateRows
        || !account.rejects().equals(dropped)) {
      throw new JobException(
          ExitCode.UNEXPECTED,
          "The rows do not add up, and are not exported: "
              + account
              + ", dropped "
              + dropped
              + ", rows of duplicates "
              + duplicateRows
              + "; did the input change while it was read?");
    }
  }

  private static void sayMissing(JobRun run, CurateOptions options, Curation.Taken taken) {
    options.mix().takeSplit().stream()
        .filter(name -> !taken.seen().contains(name))
        .forEach(
            name ->
                run.progress()
                    .say(
                        "Option --take-split: no row is of the split '"
                            + name
                            + "'; the rows have "
                            + taken.seen()));
  }

  private static void say(
      JobRun run,
      List<WeightedRef> inputs,
      Curation curation,
      Curation.Counts counts,
      Curation.Taken taken) {
    for (int i = 0; i < inputs.size(); i++) {
      run.progress()
          .say(
              "%s: %s rows, weight %s, %s taken"
                  .formatted(
                      inputs.get(i).ref(),
                      counts.in().getOrDefault(i, 0L),
                      inputs.get(i).weight().toPlainString(),
                      taken.units().getOrDefault(i, 0L)));
    }
    curation
        .refused()
        .forEach((reason, count) -> run.progress().say("Refused " + count + " rows: " + reason));
    counts
        .dropped()
        .forEach((rule, count) -> run.progress().say("Dropped " + count + " rows: " + rule));
    taken.splits().forEach((split, rows) -> run.progress().say(split + ": " + rows + " rows"));
    if (curation.unchecked() > 0) {
      run.progress()
          .say(
              curation.unchecked()
                  + " evaluation rows have no text of 8 words and cannot be looked for");
    }
  }

  private static String nothing(Curation curation, Curation.Counts counts, Curation.Taken taken) {
    long refused = counts.dropped().getOrDefault(Curation.LICENSE, 0L);
    return refused == counts.rows()
        ? "No row may be used: " + curation.refused()
        : "No row of "
            + counts.rows()
            + " is left: dropped "
            + counts.dropped()
            + ", left over "
            + taken.leftOver();
  }

  private static CurateSummary summary(
      JobRun run,
      List<WeightedRef> inputs,
      Curation curation,
      Curation.Counts counts,
      long duplicates,
      Curation.Taken taken) {
    Map<String, Long> byInput = new LinkedHashMap<>();
    for (int i = 0; i < inputs.size(); i++) {
      byInput.merge(inputs.get(i).ref(), taken.units().getOrDefault(i, 0L), Long::sum);
    }
    return new CurateSummary(
        run.summary(),
        counts.rows(),
        taken.kept(),
        duplicates,
        taken.leftOver(),
        taken.rows(),
        curation.unchecked(),
        curation.refused(),
        counts.dropped(),
        byInput,
        taken.splits(),
        taken.redacted());
  }

  private static Column[] columnsBut(Dataset<Row> rows, String... left) {
    return Arrays.stream(rows.columns())
        .filter(name -> !List.of(left).contains(name))
        .map(Columns::named)
        .toArray(Column[]::new);
  }
}
