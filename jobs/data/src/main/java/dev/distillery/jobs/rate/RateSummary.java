package dev.distillery.jobs.rate;

import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a run of rate came to; its unit is the item, of a collection the vote.
 *
 * @param items things that are rated
 * @param page where the page is; of a run that makes one
 * @param votes lines with a vote that were read; of a collection
 * @param unrated items that nobody rated; of a collection
 * @param raters who rated, how fast, how attentively
 * @param pairs how far each two raters agree
 * @param models what the votes say of each model
 * @param results {@code win_rate}, {@code krippendorff_alpha} and others; of a page {@code
 *     prompts_differ}: ids whose rows were asked different things
 */
public record RateSummary(
    RunSummary run,
    long items,
    Optional<String> page,
    Optional<Long> votes,
    Optional<Long> unrated,
    List<Rater> raters,
    List<RaterPair> pairs,
    List<RatedModel> models,
    Map<String, Number> results)
    implements Summary {

  /**
   * One rater.
   *
   * @param votes that count
   * @param medianSeconds that an item took; null where no vote tells
   * @param firstShare of the verdicts for one answer, those for the one shown first; null: none
   * @param attention items that test attention and were rated
   * @param attentionAgreement share of these with the expected verdict; null: none
   */
  public record Rater(
      String name,
      long votes,
      @Nullable Double medianSeconds,
      @Nullable Double firstShare,
      long attention,
      @Nullable Double attentionAgreement) {}

  /**
   * Two raters.
   *
   * @param items that both rated
   * @param agreement share with the same label
   * @param cohenKappa null where chance explains all
   */
  public record RaterPair(
      String first, String second, long items, double agreement, @Nullable Double cohenKappa) {}

  /**
   * One model.
   *
   * @param rating of Bradley and Terry, in natural logarithms of odds; null: see standing
   * @param low the end of its interval of 95%; null: open
   * @param standing rated, or why there is no rating
   */
  public record RatedModel(
      String model,
      long wins,
      long ties,
      long losses,
      @Nullable Double rating,
      @Nullable Double low,
      @Nullable Double high,
      String standing) {}

  public RateSummary {
    raters = List.copyOf(raters);
    pairs = List.copyOf(pairs);
    models = List.copyOf(models);
    results = Map.copyOf(results);
  }
}
