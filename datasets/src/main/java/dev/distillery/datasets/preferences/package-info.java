/**
 * Comparisons in the shapes that tools exchange: prompt, chosen, rejected.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.preferences;

import org.jspecify.annotations.NullMarked;
