/** Dialogues in the shape of the OpenAI API. */
@NullMarked
package dev.distillery.datasets.messages;

import org.jspecify.annotations.NullMarked;
