package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/**
 * Puts tables together; rows that the use does not clearly allow become rejects. See {@link
 * #manual}.
 *
 * <pre>{@code
 * RunOptions run = RunOptions.builder().use(RunOptions.Use.COMMERCIAL).build();
 * CurateOptions options =
 *     CurateOptions.builder().run(run).input(List.of("instructions@alpaca", "instructions")).build();
 * CurateSummary summary = new CurateJob().run(spark, options);
 * System.out.println(summary.kept() + " rows may be used; refused: " + summary.refused());
 * }</pre>
 */
public final class CurateJob implements Job<CurateOptions, CurateSummary> {
  static final String LICENSE = "license";

  @Override
  public String name() {
    return "curate";
  }

  @Override
  public String purpose() {
    return "Put tables together, without the rows that --use does not allow.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Keeps the rows that --use clearly allows. The run's record lists the sources that are left,
        their licenses, and who is to be named.
        """,
        "tables or files of one canonical table that has source and license.",
        "that table, and rejects: each row that --use does not clearly allow, with the reason.",
        "distillery curate --input instructions@alpaca --input instructions@dolly --use commercial",
        "distillery show instructions --card");
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
    Table table = Tables.of(options.input(), options.table());
    if (!UsePolicy.canJudge(table)) {
      throw JobException.invalid(
          "Table " + table.name() + " has no columns source and license: curate cannot judge it");
    }
    Tables.checkOutput(options.outputTable(), table);
  }

  @Override
  public List<TableRef> inputs(CurateOptions options) {
    return TableRef.parse(options.input());
  }

  @Override
  public Outcome<CurateSummary> perform(JobRun run, CurateOptions options) {
    Table table = Tables.of(options.input(), options.table());
    Dataset<Row> rows = run.inputsOfAnyLicense(options.input(), table);
    UsePolicy policy = new UsePolicy(options.run().use().orElse(Use.RESEARCH));
    UsePolicy.Verdict verdict = run.phase("Judge " + options.input(), () -> policy.judge(rows));
    long in = rows.count();
    long refused = verdict.reasons().values().stream().mapToLong(Long::longValue).sum();
    verdict
        .reasons()
        .forEach((reason, count) -> run.progress().say("Refused " + count + " rows: " + reason));
    if (in > 0 && refused == in) {
      throw JobException.invalid("No row may be used: " + verdict.reasons());
    }
    var summary = new CurateSummary(run.summary(), in, in - refused, verdict.reasons());
    if (run.dryRun()) {
      return Outcome.done(
          summary, RowAccount.of("rows", in, in - refused).rejects(Map.of(LICENSE, refused)));
    }
    long kept = run.write(table, options.outputTable().orElse(table.name()), verdict.allowed());
    Dataset<Row> rejected = verdict.refused();
    Column row = to_json(struct(columnsBut(rejected, "objection")));
    return Outcome.done(
        summary,
        RowAccount.of("rows", in, kept)
            .rejects(run.reject(rejected, lit(LICENSE), col("objection"), row)));
  }

  private static Column[] columnsBut(Dataset<Row> rows, String left) {
    return Arrays.stream(rows.columns())
        .filter(name -> !name.equals(left))
        .map(name -> col("`" + name + "`"))
        .toArray(Column[]::new);
  }
}
