/**
 * Reads public data sets into the canonical tables: {@link
 * dev.distillery.datasets.registry.Sources} lists the sources, each of which has a package of its
 * own that knows its format. How files are opened and split is in {@code read}; under which terms a
 * source stands, in {@code license}.
 *
 * <p>May use: core.dialogue, core.run, datasets.read, spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets;

import org.jspecify.annotations.NullMarked;
