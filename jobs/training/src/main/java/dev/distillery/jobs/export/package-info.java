/**
 * The job `export`: writes a model, with its tokenizer and an adapter merged into it, as a Hugging
 * Face directory or a GGUF file. Training writes its own checkpoints elsewhere.
 *
 * <p>May use: core.format, core.run, model.format, model.tokenizer, spark.job, training.tokens.
 */
@NullMarked
package dev.distillery.jobs.export;

import org.jspecify.annotations.NullMarked;
