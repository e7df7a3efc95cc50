/**
 * Direct preference optimisation: a student learns which of two answers is better, without a reward
 * model. The loop is common/training's, the loss {@code model.train}'s.
 *
 * <p>May use: core.dialogue, core.format, core.run, model.format, model.nn, model.tokenizer,
 * model.train, spark.job, spark.warehouse, training.card, training.run, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.dpo;

import org.jspecify.annotations.NullMarked;
