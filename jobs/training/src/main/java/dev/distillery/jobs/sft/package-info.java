/**
 * Supervised fine-tuning: a student learns answers. The loop is common/training's.
 *
 * <p>May use: core.dialogue, core.format, core.page, core.run, model.format, model.nn,
 * model.sample, model.tokenizer, model.train, spark.job, spark.warehouse, training.card,
 * training.run, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.sft;

import org.jspecify.annotations.NullMarked;
