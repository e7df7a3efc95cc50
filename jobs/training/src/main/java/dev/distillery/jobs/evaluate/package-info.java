/**
 * The job `evaluate`: tasks in the manner of lm-evaluation-harness, over executors. What a task is
 * lies in {@code training.evaluate}.
 *
 * <p>May use: core.dialogue, core.format, core.page, core.random, core.run, core.teacher,
 * core.text, model.format, model.sample, spark.fanout, spark.job, spark.warehouse, training.card,
 * training.evaluate, training.student, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.evaluate;

import org.jspecify.annotations.NullMarked;
