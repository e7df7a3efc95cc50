package dev.distillery.jobs.generate;

import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenEstimator;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/**
 * What a run would ask, before anything is asked. How many instructions a reply yields depends on
 * the teacher, so the yield is an assumption, and is printed as one.
 *
 * @param estimatedRequests requests of all steps
 * @param estimatedPromptTokens tokens of the prompts, extrapolated from the first of each step
 * @param estimatedCompletionTokens tokens of the replies if each were as long as it may be
 * @param assumedInstructionsPerReply instructions kept of one reply that proposes some
 * @param estimatedCostUsd their price; empty where the model has none
 */
public record GeneratePlan(
    long estimatedRequests,
    long estimatedPromptTokens,
    long estimatedCompletionTokens,
    double assumedInstructionsPerReply,
    Optional<BigDecimal> estimatedCostUsd) {
  /**
   * Of the 16 tasks that an Alpaca reply may hold, and the 7 of Self-Instruct, with room for what
   * the filters drop.
   */
  private static final double ALPACA_YIELD = 8;

  private static final double SELF_INSTRUCT_YIELD = 3.5;

  static GeneratePlan of(
      GenerateOptions options, GenerationRecipe recipe, TaskPool pool, Optional<Price> price) {
    boolean alpaca = options.recipe() == GenerateOptions.RecipeName.ALPACA;
    double yield = alpaca ? ALPACA_YIELD : SELF_INSTRUCT_YIELD;
    long perRound = options.requestsPerRound();
    long rounds = (long) Math.ceil(options.numInstructions() / (yield * perRound));
    long proposals = rounds * perRound;
    TeacherRequest first = recipe.propose(0, 0, pool);
    List<TeacherRequest> followUps = recipe.followUps(pool.firstSeed());
    var tokens = TokenEstimator.of(first.model());
    long tasks = options.numInstructions();
    long promptTokens = proposals * tokens.promptTokens(first);
    long completionTokens = proposals * tokens.mostCompletionTokens(first);
    for (TeacherRequest request : followUps) {
      promptTokens += tasks * tokens.promptTokens(request);
      completionTokens += tasks * tokens.mostCompletionTokens(request);
    }
    long read = promptTokens;
    long written = completionTokens;
    return new GeneratePlan(
        proposals + tasks * followUps.size(),
        read,
        written,
        yield,
        price.map(p -> p.costUsd(read, 0, written)));
  }
}
