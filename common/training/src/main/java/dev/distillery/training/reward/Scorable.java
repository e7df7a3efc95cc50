package dev.distillery.training.reward;

import dev.distillery.training.tokens.AnswerEncoder.Answered;

/**
 * An answer that can be scored.
 *
 * @param side {@code chosen} or {@code rejected} of a comparison; empty elsewhere
 * @param prompt what was asked, as text; a dialogue as JSON
 * @param answer its text
 * @param tokens of both
 */
record Scorable(String side, String prompt, String answer, Answered tokens) {}
