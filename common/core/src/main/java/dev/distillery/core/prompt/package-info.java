/**
 * What a teacher is asked when tasks are generated, and what is made of its answers: seed tasks,
 * prompt templates, parsers of replies, and the named filters. Pure functions of text: no Spark, no
 * requests, and no similarity to a pool, which is {@code core.text}'s and the job's.
 *
 * <p>May use: core.run.
 */
@NullMarked
package dev.distillery.core.prompt;

import org.jspecify.annotations.NullMarked;
