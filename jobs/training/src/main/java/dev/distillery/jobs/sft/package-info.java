/** Supervised fine-tuning: a student learns answers. The loop is common/training's. */
@NullMarked
package dev.distillery.jobs.sft;

import org.jspecify.annotations.NullMarked;
