/**
 * OpenAI's comparisons of WebGPT's answers.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.webgpt;

import org.jspecify.annotations.NullMarked;
