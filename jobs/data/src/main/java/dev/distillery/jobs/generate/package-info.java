/**
 * Job `generate`: seed tasks grow into an instruction set by a teacher, after Self-Instruct or
 * Alpaca. Prompts, parsers and filters are in `core.prompt`, the similarity gate in `core.text`,
 * the requests' way in `spark.fanout`; here is the loop that joins them.
 *
 * <p>May use: core.prompt, core.random, core.run, core.teacher, core.text, spark.fanout, spark.job,
 * spark.license, spark.warehouse.
 */
@NullMarked
package dev.distillery.jobs.generate;

import org.jspecify.annotations.NullMarked;
