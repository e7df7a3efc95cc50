/**
 * Job `judge`: lets any teacher say which of two sets of answers is better, or how good one is. How
 * it is asked, limited and kept is the fan-out's.
 *
 * <p>May use: core.dialogue, core.prompt, core.rating, core.run, core.teacher, spark.fanout,
 * spark.job, spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.judge;

import org.jspecify.annotations.NullMarked;
