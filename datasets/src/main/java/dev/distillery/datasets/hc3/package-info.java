/**
 * HC3: questions with answers of people and of ChatGPT.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.hc3;

import org.jspecify.annotations.NullMarked;
