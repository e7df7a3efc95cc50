package dev.distillery.model.sample;

import dev.distillery.model.constrain.TokenConstraint;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How tokens are chosen and when a row ends, with the meaning and order of transformers' generate:
 * repetition penalty, temperature, top-k, top-p; and with the two penalties of OpenAI's protocol.
 *
 * @param maxNewTokens tokens of one reply at most; default 256
 * @param temperature logits are divided by it; 0 takes the most likely token; default 1
 * @param topK draws from so many most likely tokens; 0 from all; default 0
 * @param topP draws from the fewest tokens that have this probability together; default 1
 * @param repetitionPenalty positive logits of tokens seen are divided by it, negative ones
 *     multiplied; default 1
 * @param frequencyPenalty taken from a token's logit for each time that the reply has it; default 0
 * @param presencePenalty taken from a token's logit once where the reply has it; default 0
 * @param stopIds tokens that end a reply and are not part of it
 * @param stopTexts texts that end a reply and are not part of it
 * @param seed with a row's id and the position, what the draw depends on; default 42
 * @param topLogProbs the likeliest tokens that are told of each place of a reply; default 0
 * @param neverIds ids that are not chosen, as they have no token; default none
 * @param constraint what the reply must be; it ends once it is, and at its length even if it is not
 *     yet; default none
 */
public record GenerationOptions(
    int maxNewTokens,
    double temperature,
    int topK,
    double topP,
    double repetitionPenalty,
    double frequencyPenalty,
    double presencePenalty,
    List<Integer> stopIds,
    List<String> stopTexts,
    long seed,
    int topLogProbs,
    List<Integer> neverIds,
    Optional<TokenConstraint> constraint) {

  public GenerationOptions {
    neverIds = List.copyOf(neverIds);
    stopIds = List.copyOf(stopIds);
    stopTexts = List.copyOf(stopTexts);
    List<String> violations = new ArrayList<>();
    check(violations, maxNewTokens >= 1, "max new tokens must be at least 1: " + maxNewTokens);
    check(
        violations,
        temperature >= 0 && Double.isFinite(temperature),
        "temperature must be 0 or more: " + temperature);
    check(violations, topK >= 0, "top k must be 0 or more: " + topK);
    check(violations, topP > 0 && topP <= 1, "top p must be in (0, 1]: " + topP);
    check(
        violations,
        repetitionPenalty > 0 && Double.isFinite(repetitionPenalty),
        "repetition penalty must be above 0: " + repetitionPenalty);
    check(
        violations,
        Double.isFinite(frequencyPenalty) && Double.isFinite(presencePenalty),
        "penalties must be finite: " + frequencyPenalty + ", " + presencePenalty);
    check(violations, topLogProbs >= 0, "top log-probs must be 0 or more: " + topLogProbs);
    check(violations, !stopTexts.contains(""), "a stop text must not be empty");
    if (!violations.isEmpty()) {
      throw new IllegalArgumentException("Cannot generate: " + String.join("; ", violations));
    }
  }

  /** Where nothing is told but the reply. */
  public GenerationOptions(
      int maxNewTokens,
      double temperature,
      int topK,
      double topP,
      double repetitionPenalty,
      double frequencyPenalty,
      double presencePenalty,
      List<Integer> stopIds,
      List<String> stopTexts,
      long seed) {
    this(
        maxNewTokens,
        temperature,
        topK,
        topP,
        repetitionPenalty,
        frequencyPenalty,
        presencePenalty,
        stopIds,
        stopTexts,
        seed,
        0,
        List.of(),
        Optional.empty());
  }

  /** Without the penalties of frequency and presence. */
  public GenerationOptions(
      int maxNewTokens,
      double temperature,
      int topK,
      double topP,
      double repetitionPenalty,
      List<Integer> stopIds,
      List<String> stopTexts,
      long seed) {
    this(maxNewTokens, temperature, topK, topP, repetitionPenalty, 0, 0, stopIds, stopTexts, seed);
  }

  private static void check(List<String> violations, boolean good, String message) {
    if (!good) {
      violations.add(message);
    }
  }

  /** The most likely token each time, up to a length. */
  public static GenerationOptions greedy(int maxNewTokens, List<Integer> stopIds) {
    return new GenerationOptions(maxNewTokens, 0, 0, 1, 1, stopIds, List.of(), 42);
  }
}
