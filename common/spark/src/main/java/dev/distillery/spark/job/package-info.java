/**
 * The life of a run on Spark: what a job is, who may work on a run id, what is staged, and how it
 * is committed or recorded as failed. Where rows lie is the warehouse's matter.
 *
 * <p>May use: core.page, core.run, spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.spark.job;

import org.jspecify.annotations.NullMarked;
