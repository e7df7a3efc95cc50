/**
 * The job `logprobs`: how likely the student finds each token of given texts. What a continuation
 * scores lies in {@code model.sample}; benchmarks and their metrics do not live here.
 *
 * <p>May use: core.format, core.run, model.format, model.sample, model.tokenizer, spark.job,
 * spark.warehouse, training.student.
 */
@NullMarked
package dev.distillery.jobs.logprobs;

import org.jspecify.annotations.NullMarked;
