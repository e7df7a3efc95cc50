/**
 * The training run: steps over executors or in one process, their order of rows, evaluation,
 * checkpoints, metrics and the writing of what was learned. Not how text becomes tokens, and not
 * what a particular job minimises beyond the next token.
 *
 * <p>May use: core.format, core.page, core.random, core.run, model.format, model.nn,
 * model.tokenizer, model.train, spark.job, spark.warehouse, training.tokens.
 */
@NullMarked
package dev.distillery.training.run;

import org.jspecify.annotations.NullMarked;
