package dev.distillery.training.rollout;

/**
 * An answer that was sampled, with the prompt that it answers: what a reward is given for.
 *
 * @param prompt with its whole row
 * @param ids the answer's tokens, its end mark among them
 * @param answer as text, without marks
 * @param ended whether it came to an end of its own before its longest length
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
public record Sampled(Prompt prompt, int[] ids, String answer, boolean ended) {}
