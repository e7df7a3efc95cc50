/**
 * ShareGPT: dialogues that users shared, in every shape that they are published in, and the rules
 * that FastChat and Koala cleaned them with.
 *
 * <p>May use: core.dialogue, core.text, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.sharegpt;

import org.jspecify.annotations.NullMarked;
