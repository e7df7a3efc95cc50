package dev.distillery.core.run;

import java.util.Map;

/**
 * What the summary of every run tells, whatever the job.
 *
 * @param job the job's name
 * @param runId the run's id
 * @param status {@code done}, {@code partial}, {@code failed} or {@code dry-run}
 * @param exitCode as the process's exit status tells it
 * @param message why it ended so and what to do; empty where it is done
 * @param tables what was written, by table
 * @param rejects rows dropped, by rule
 * @param unit what the figures count, such as {@code rows}; empty where a job counts none
 * @param seconds wall-clock time of the job, Spark's start not counted
 */
public record RunSummary(
    String job,
    String runId,
    String status,
    ExitCode exitCode,
    String message,
    Map<String, TableSummary> tables,
    Map<String, Long> rejects,
    String unit,
    double seconds)
    implements Summary {

  /** One table that was written: where, and how many rows. */
  public record TableSummary(String path, long rows) {}

  public RunSummary {
    tables = Map.copyOf(tables);
    rejects = Map.copyOf(rejects);
  }

  /** A run that goes on; the frame puts its end in this one's place. */
  public static RunSummary begun(String job, String runId) {
    return new RunSummary(job, runId, "running", ExitCode.DONE, "", Map.of(), Map.of(), "", 0);
  }

  /** The summary of a run that could not be done. */
  public static RunSummary failed(String job, String runId, JobException failure, double seconds) {
    return new RunSummary(
        job,
        runId,
        failure.exitCode().status(),
        failure.exitCode(),
        String.valueOf(failure.getMessage()),
        Map.of(),
        Map.of(),
        "",
        seconds);
  }

  @Override
  public RunSummary run() {
    return this;
  }
}
