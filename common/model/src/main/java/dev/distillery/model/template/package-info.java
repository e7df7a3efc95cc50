/**
 * Runs the chat templates that models bring along: the part of Jinja that they use, with Python's
 * texts of values, bounded in time and size since templates are untrusted. What a dialogue's tokens
 * are, and which of them are trained, lies in {@code model.tokenizer}.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.model.template;

import org.jspecify.annotations.NullMarked;
