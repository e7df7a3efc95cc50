/**
 * Stack Exchange: dumps of posts, and the data sets of preferences made of them.
 *
 * <p>May use: core.dialogue, core.text, datasets, datasets.read, spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.stackexchange;

import org.jspecify.annotations.NullMarked;
