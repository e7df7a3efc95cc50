/**
 * Reward models at work: opened from a folder, asked for scores on any executor. Not how they are
 * trained, and not what is done with their scores.
 *
 * <p>May use: core.dialogue, core.format, core.run, model.format, model.nn, model.tokenizer,
 * spark.job, spark.warehouse, training.tokens.
 */
@NullMarked
package dev.distillery.training.reward;

import org.jspecify.annotations.NullMarked;
