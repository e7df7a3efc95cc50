/**
 * Under which license each public source stands, and what may be done with its rows. The registry
 * says what the sources' publishers say; it is no legal advice.
 *
 * <p>May use: core.run, spark.warehouse.
 */
@NullMarked
package dev.distillery.spark.license;

import org.jspecify.annotations.NullMarked;
