/**
 * Pre-training: a new model, or one that stands, learns to go on with documents. The loop is
 * common/training's.
 */
@NullMarked
package dev.distillery.jobs.pretrain;

import org.jspecify.annotations.NullMarked;
