/**
 * Dialogues: their messages and roles, and what a chat template is told beside them. What asks,
 * renders or trains on them lies elsewhere.
 *
 * <p>May use: core.run.
 */
@NullMarked
package dev.distillery.core.dialogue;

import org.jspecify.annotations.NullMarked;
