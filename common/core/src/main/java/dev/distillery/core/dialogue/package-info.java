/**
 * Dialogues: their messages and roles. What asks, renders or trains on them lies elsewhere.
 *
 * <p>May use: nothing of ours.
 */
@NullMarked
package dev.distillery.core.dialogue;

import org.jspecify.annotations.NullMarked;
