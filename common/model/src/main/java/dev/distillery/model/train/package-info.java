/**
 * Training of a decoder: losses and heads, AdamW, schedules, one optimiser step over micro-batches,
 * LoRA's merging. The network lies in {@code nn}; reading tables, packing rows into batches and
 * exchanging gradients over a cluster belong to the jobs.
 *
 * <p>May use: model.format, model.nn, model.rl.
 */
@NullMarked
package dev.distillery.model.train;

import org.jspecify.annotations.NullMarked;
