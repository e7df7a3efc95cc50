/**
 * Open Assistant: trees of messages.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.oasst;

import org.jspecify.annotations.NullMarked;
