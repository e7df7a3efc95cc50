/**
 * The job {@code ingest}: a public data set's files become rows of a canonical table.
 *
 * <p>May use: core.run, datasets, datasets.read, datasets.registry, datasets.units, spark.job,
 * spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.ingest;

import org.jspecify.annotations.NullMarked;
