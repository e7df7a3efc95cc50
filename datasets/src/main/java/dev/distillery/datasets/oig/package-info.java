/**
 * OIG: dialogues written as one text with marks.
 *
 * <p>May use: datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.oig;

import org.jspecify.annotations.NullMarked;
