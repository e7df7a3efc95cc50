/**
 * The dedup job: keeps the rows that the sequential gate of Self-Instruct would keep, at any size.
 * ROUGE-L itself, and the index that finds what is above a threshold, are in `core.text`.
 *
 * <p>May use: core.run, core.text, spark.job, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.dedup;

import org.jspecify.annotations.NullMarked;
