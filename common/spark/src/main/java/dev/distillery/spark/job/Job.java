package dev.distillery.spark.job;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.ProgressListener;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Summary;
import dev.distillery.spark.warehouse.TableRef;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.SparkSession;

/**
 * One batch job: typed options in, a summary out. The command line is a thin skin over it; a
 * library user calls the same {@link #run}. Found by {@link java.util.ServiceLoader}.
 *
 * @param <O> its options
 * @param <S> its summary, a record
 */
public interface Job<O extends Record, S extends Summary> extends Command<O> {
  Class<S> summaryType();

  /** The options that every job has, out of its own. */
  RunOptions runOptions(O options);

  /**
   * Looks at what the options name, such as files, before Spark starts. Called once a run, by the
   * frame.
   *
   * @throws dev.distillery.core.run.JobException with all that is wrong
   */
  default void check(O options) {}

  /**
   * The options, whose defaults that follow from other options are filled in: a run's record names
   * what each came to. They have passed {@link #check}.
   */
  default O settled(O options) {
    return options;
  }

  /**
   * The options of an earlier run, as {@link #settled} would have given them then: what its record
   * leaves out is filled in with what it came to.
   *
   * @param recorded options that decide the result, by name, with their declared defaults
   */
  default Map<String, String> settled(Map<String, String> recorded) {
    return recorded;
  }

  /** The time of grace where {@code --grace} gives none. */
  default Duration grace() {
    return Duration.ofSeconds(20);
  }

  /**
   * The tables and files that the options name to be read. The frame looks before Spark starts that
   * they are there, and pins them in the run's record when the run opens: a run that goes on reads
   * the same, and where files have changed its id is refused.
   */
  default List<TableRef> inputs(O options) {
    return List.of();
  }

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
   * The job's own part of a run: reads through the run, writes through it, and says how it ended.
   * The frame has checked the options, and publishes or throws away what was written.
   */
  Outcome<S> perform(JobRun run, O options) throws Exception;

  /**
   * Runs the job.
   *
   * @return how it ended: done, partial or dry-run; where the id's run is done already with the
   *     same options, the summary that it ended with
   * @throws dev.distillery.core.run.JobException where the options are wrong, the run id is not to
   *     be had, or the job could not be done; the run's record says so too
   */
  default S run(SparkSession spark, O options) {
    return run(spark, options, ProgressListener.standardError());
  }

  /**
   * As {@link #run(SparkSession, Record)}.
   *
   * @param progress is told how far the job is
   */
  default S run(SparkSession spark, O options, ProgressListener progress) {
    return JobCall.of(this, options).run(spark, progress);
  }
}
