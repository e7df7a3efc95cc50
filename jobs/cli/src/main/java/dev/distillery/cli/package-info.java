/**
 * The command line: finds a job by its name, binds its options, opens Spark, prints the summary,
 * and ends with the exit code. Only {@link dev.distillery.cli.Main} ends the process.
 *
 * <p>May use: core.page, core.run, spark.job, spark.warehouse.
 */
@NullMarked
package dev.distillery.cli;

import org.jspecify.annotations.NullMarked;
