/**
 * OpenAI's comparisons of summaries.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.summarize;

import org.jspecify.annotations.NullMarked;
