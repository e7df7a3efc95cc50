/** What tests of Spark code share: one local session, and real clusters. */
@NullMarked
package dev.distillery.spark.testing;

import org.jspecify.annotations.NullMarked;
