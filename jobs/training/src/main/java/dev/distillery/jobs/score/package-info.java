/**
 * Reward models at work on tables of answers: their scores, and the best of several answers.
 *
 * <p>May use: core.dialogue, core.format, core.run, model.format, spark.job, spark.warehouse,
 * training.card, training.reward, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.score;

import org.jspecify.annotations.NullMarked;
