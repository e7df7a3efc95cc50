/**
 * Plain texts.
 *
 * <p>May use: core.text, datasets, datasets.read, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.documents;

import org.jspecify.annotations.NullMarked;
