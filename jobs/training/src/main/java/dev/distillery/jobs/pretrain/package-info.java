/**
 * Pre-training: a new model, or one that stands, learns to go on with documents. The loop is
 * common/training's.
 *
 * <p>May use: core.format, core.run, model.format, model.nn, model.tokenizer, spark.job,
 * spark.warehouse, training.card, training.run, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.pretrain;

import org.jspecify.annotations.NullMarked;
