/**
 * Job `complete`: asks any teacher for completions of prompts, dialogues or instructions. How they
 * are asked, limited and kept is the fan-out's; what the answers are for is its callers'.
 *
 * <p>May use: core.dialogue, core.run, core.teacher, spark.fanout, spark.job, spark.license,
 * spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.complete;

import org.jspecify.annotations.NullMarked;
