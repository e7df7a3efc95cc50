package dev.distillery.training.evaluate;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What came of an item.
 *
 * @param prompt what the model was shown; of several prompts the right one's
 * @param choices continuations that were scored; empty where the model wrote
 * @param logprobs of each, summed over its tokens
 * @param answer the choice that got most, or what the model wrote, to the character; of several
 *     samples the first
 * @param answers what the model wrote, sample by sample; empty where there is one at most
 * @param target what is right
 * @param metrics by name; figures are made of some of them that are no metric themselves
 */
public record Evaluated(
    String prompt,
    List<String> choices,
    List<Double> logprobs,
    Optional<String> answer,
    List<String> answers,
    Optional<String> target,
    Map<String, Double> metrics) {}
