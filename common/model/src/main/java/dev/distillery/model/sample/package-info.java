/**
 * Decoding: batched generation with a key-value cache, the choice of tokens, log-probabilities of
 * given continuations, and the student as a teacher that answers requests. The network lies in
 * {@code nn}, text and tokens meet in {@code tokenizer}.
 *
 * <p>May use: core.dialogue, core.format, core.random, core.run, core.teacher, model.constrain,
 * model.format, model.nn, model.tokenizer.
 */
@NullMarked
package dev.distillery.model.sample;

import org.jspecify.annotations.NullMarked;
