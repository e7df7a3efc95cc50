/**
 * The decoder: tensors, the one interface to whatever computes on them, the portable implementation
 * on ND4J, and the forward and hand-derived backward pass of LLaMA and GPT-2. Files are read in
 * {@code format}; losses, the optimiser and the steps of training live in {@code train}, decoding
 * in {@code sample}.
 *
 * <p>May use: core.format, core.random, model.format.
 */
@NullMarked
package dev.distillery.model.nn;

import org.jspecify.annotations.NullMarked;
