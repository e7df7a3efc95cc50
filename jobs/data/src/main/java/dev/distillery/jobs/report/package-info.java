/**
 * The job `report`: one page that shows a table and the run that wrote it.
 *
 * <p>May use: core.page, core.random, core.run, core.text, spark.job, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.report;

import org.jspecify.annotations.NullMarked;
