/**
 * Job `rate`: lets people say which answers are better. What they are shown hides who answered;
 * what they said becomes rows of the tables that other jobs read.
 *
 * <p>May use: core.dialogue, core.page, core.random, core.rating, core.run, spark.job,
 * spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.rate;

import org.jspecify.annotations.NullMarked;
