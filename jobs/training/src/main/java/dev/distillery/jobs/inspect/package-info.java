/**
 * The job `inspect`: what a model is, what it takes to run and to train, and whether its tokenizer
 * gives texts back. Reads files only; computes nothing with the weights.
 *
 * <p>May use: core.format, core.run, model.format, model.tokenizer, spark.job.
 */
@NullMarked
package dev.distillery.jobs.inspect;

import org.jspecify.annotations.NullMarked;
