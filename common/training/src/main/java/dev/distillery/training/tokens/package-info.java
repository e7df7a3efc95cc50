/**
 * Token tables: what a training run reads, row by position. How rows of a canonical table become
 * tokens, masks and packed rows; not how a model learns from them.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.training.tokens;

import org.jspecify.annotations.NullMarked;
