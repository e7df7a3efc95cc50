/**
 * What an evaluation is: task files, the items that are made of rows, prompts with their shots,
 * scores and metrics. Nothing here writes a table.
 *
 * <p>May use: core.dialogue, core.random, core.run, core.text, model.format, model.nn,
 * model.sample, model.template, model.tokenizer.
 */
@NullMarked
package dev.distillery.training.evaluate;

import org.jspecify.annotations.NullMarked;
