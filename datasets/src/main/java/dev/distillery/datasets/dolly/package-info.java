/**
 * Dolly: instructions and answers that employees of Databricks wrote.
 *
 * <p>May use: datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.dolly;

import org.jspecify.annotations.NullMarked;
