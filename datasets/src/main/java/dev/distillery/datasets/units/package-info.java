/**
 * Runs a source's reader over files on Spark: what became of every unit, which units are duplicates
 * of earlier ones, and the rows that are left. Nothing is written here; that is a job's work.
 *
 * <p>May use: datasets, datasets.read, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.units;

import org.jspecify.annotations.NullMarked;
