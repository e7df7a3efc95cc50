/**
 * Anthropic's helpful and harmless comparisons.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.hhrlhf;

import org.jspecify.annotations.NullMarked;
