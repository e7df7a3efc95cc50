/**
 * Alpaca and whatever has its shape: instruction, input, output.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.alpaca;

import org.jspecify.annotations.NullMarked;
