package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.Arrays;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** Puts tables together; rows that the use does not clearly allow become rejects. */
public final class CurateJob implements Job<CurateOptions> {
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
  public RunOptions runOptions(CurateOptions options) {
    return options.run();
  }

  @Override
  public JobSummary run(SparkSession spark, CurateOptions options) {
    return JobRun.execute(spark, this, options, run -> curate(run, options));
  }

  private Outcome curate(JobRun run, CurateOptions options) {
    Table table = Tables.of(options.input(), options.table());
    if (!UsePolicy.canJudge(table)) {
      throw JobException.invalid(
          "Table " + table.name() + " has no columns source and license: curate cannot judge it");
    }
    Dataset<Row> rows =
        options.input().stream()
            .map(ref -> run.inputOfAnyLicense(ref, table))
            .reduce((a, b) -> a.unionByName(b, true))
            .orElseThrow();
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
    if (run.dryRun()) {
      return Outcome.done(new CurateFigures(in, in - refused, verdict.reasons()));
    }
    long kept = run.write(table, options.outputTable().orElse(table.name()), verdict.allowed());
    long rejects = run.write(Tables.REJECTS, rejects(verdict.refused()));
    if (kept + rejects != in) {
      throw new JobException(
          ExitCode.UNEXPECTED,
          "Rows do not add up: "
              + in
              + " read, "
              + kept
              + " kept, "
              + rejects
              + " refused; did the input change while it was read?");
    }
    return Outcome.done(new CurateFigures(in, kept, verdict.reasons()));
  }

  private Dataset<Row> rejects(Dataset<Row> refused) {
    Column[] columns =
        Arrays.stream(refused.columns())
            .filter(name -> !name.equals("objection"))
            .map(name -> functions.col("`" + name + "`"))
            .toArray(Column[]::new);
    return refused.select(
        lit(name()).as("job"),
        col("id"),
        lit(LICENSE).as("rule"),
        col("objection").as("detail"),
        to_json(struct(columns)).as("row"));
  }
}
