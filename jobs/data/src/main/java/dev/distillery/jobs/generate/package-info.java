/**
 * Job `generate`: seed tasks grow into an instruction set by a teacher, after Self-Instruct or
 * Alpaca. Prompts, parsers and filters are in `core.prompt`, the similarity gate in `core.text`,
 * the requests' way in `spark.fanout`; here is the loop that joins them.
 */
@NullMarked
package dev.distillery.jobs.generate;

import org.jspecify.annotations.NullMarked;
