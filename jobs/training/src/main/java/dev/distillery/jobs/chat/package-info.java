/**
 * The job `chat`: a dialogue with a student, or with two side by side, in a terminal. {@code
 * ChatLoop} reads lines and prints answers as they are written; a {@code ChatPartner} is a student
 * and what was said with it. Uses no Spark but its libraries.
 *
 * <p>May use: core.dialogue, core.random, core.run, core.teacher, model.format, model.sample,
 * model.tokenizer, spark.job, training.student.
 */
@NullMarked
package dev.distillery.jobs.chat;

import org.jspecify.annotations.NullMarked;
