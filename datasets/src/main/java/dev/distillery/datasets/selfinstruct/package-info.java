/**
 * Self-Instruct: its seed tasks, and what it generated.
 *
 * <p>May use: datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.selfinstruct;

import org.jspecify.annotations.NullMarked;
