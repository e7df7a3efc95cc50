/**
 * The student as it is, untrained further: shared by the tasks of a JVM to score texts, or opened
 * with its adapter for whoever asks it, by options that such jobs have in common.
 *
 * <p>May use: core.dialogue, core.run, model.sample, spark.job, training.tokens.
 */
@NullMarked
package dev.distillery.training.student;

import org.jspecify.annotations.NullMarked;
