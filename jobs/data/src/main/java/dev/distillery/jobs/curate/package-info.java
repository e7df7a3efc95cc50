/**
 * The job {@code curate}: tables put together, without the rows that a use does not allow.
 *
 * <p>May use: core.run, spark.job, spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.curate;

import org.jspecify.annotations.NullMarked;
