/**
 * Reward models: trained on comparisons of answers, and looked at on held-out ones. The loop is
 * common/training's.
 *
 * <p>May use: core.dialogue, core.format, core.page, core.run, model.format, model.nn,
 * model.sample, model.tokenizer, model.train, spark.job, spark.warehouse, training.card,
 * training.reward, training.run, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.reward;

import org.jspecify.annotations.NullMarked;
