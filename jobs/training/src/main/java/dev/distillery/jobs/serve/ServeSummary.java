package dev.distillery.jobs.serve;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;

/**
 * What a server did.
 *
 * @param models served, by name
 * @param requests for answers
 * @param answered requests that got a whole answer
 * @param refused responses with an error, whatever was asked
 * @param left requests whose client had gone before the end
 * @param promptTokens of answered requests
 * @param completionTokens of answered requests
 */
public record ServeSummary(
    RunSummary run,
    List<String> models,
    long requests,
    long answered,
    long refused,
    long left,
    long promptTokens,
    long completionTokens)
    implements Summary {
  public ServeSummary {
    models = List.copyOf(models);
  }
}
