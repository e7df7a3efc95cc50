/**
 * The student of a JVM, which tasks share to score texts.
 *
 * <p>May use: core.run, model.sample, spark.job.
 */
@NullMarked
package dev.distillery.training.student;

import org.jspecify.annotations.NullMarked;
