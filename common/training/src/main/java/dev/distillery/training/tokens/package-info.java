/**
 * Token tables: what a training run reads, row by position. How rows of a canonical table become
 * tokens, masks and packed rows, and inputs one mix; not how a model learns from them.
 *
 * <p>May use: core.dialogue, core.format, core.random, core.run, core.teacher, model.format,
 * model.nn, model.sample, model.tokenizer, model.train, spark.job, spark.warehouse, training.card.
 */
@NullMarked
package dev.distillery.training.tokens;

import org.jspecify.annotations.NullMarked;
