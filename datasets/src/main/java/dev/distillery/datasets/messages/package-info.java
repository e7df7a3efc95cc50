/**
 * Dialogues in the shape of the OpenAI API.
 *
 * <p>May use: core.dialogue, datasets, spark.warehouse.
 */
@NullMarked
package dev.distillery.datasets.messages;

import org.jspecify.annotations.NullMarked;
