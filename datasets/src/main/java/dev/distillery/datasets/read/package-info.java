/**
 * Streams rows out of files of any size: JSON Lines, one huge JSON array, XML dumps with a row a
 * line; plain or compressed; in pieces that different tasks read. Knows nothing of what the rows
 * mean, and runs without Spark but for {@link dev.distillery.datasets.read.RowSplits}.
 *
 * <p>May use: core.run, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.read;

import org.jspecify.annotations.NullMarked;
