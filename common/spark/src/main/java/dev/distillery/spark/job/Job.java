package dev.distillery.spark.job;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.RunOptions;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/**
 * One batch job: typed options in, a summary out. The command line is a thin skin over it; a
 * library user calls the same {@link #run}. Found by {@link java.util.ServiceLoader}.
 *
 * @param <O> its options
 */
public interface Job<O extends Record> extends Command<O> {
  /** The options that every job has, out of its own. */
  RunOptions runOptions(O options);

  /**
   * Looks at what the options name, such as files, before Spark starts.
   *
   * @throws dev.distillery.core.run.JobException with all that is wrong
   */
  default void check(O options) {}

  /**
   * What the small files hold that options name and that decide the result, by a name for messages:
   * hashes of their content. A run id is refused where one of them has changed under it.
   *
   * @param hadoop how to reach files by URI
   */
  default Map<String, String> contents(O options, Configuration hadoop) {
    return Map.of();
  }

  /**
   * Runs the job.
   *
   * @return how it ended: done, partial or dry-run
   * @throws dev.distillery.core.run.JobException where it could not be done; the run's record says
   *     so too
   */
  JobSummary run(SparkSession spark, O options);
}
