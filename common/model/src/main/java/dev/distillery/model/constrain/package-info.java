/**
 * Replies that must fit a JSON schema: the schema as an automaton over bytes with a stack ({@code
 * JsonConstraint}), and which tokens of a vocabulary it lets come next ({@code TokenMask}). Where
 * tokens are chosen, in {@code sample}, the others are left out.
 *
 * <p>May use: model.tokenizer.
 */
@NullMarked
package dev.distillery.model.constrain;

import org.jspecify.annotations.NullMarked;
