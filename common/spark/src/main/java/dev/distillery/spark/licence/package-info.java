/**
 * Under which licence each public source stands, and what may be done with its rows. The registry
 * says what the sources' publishers say; it is no legal advice.
 */
@NullMarked
package dev.distillery.spark.licence;

import org.jspecify.annotations.NullMarked;
