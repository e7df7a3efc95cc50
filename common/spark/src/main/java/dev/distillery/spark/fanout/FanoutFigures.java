package dev.distillery.spark.fanout;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Locale;
import java.util.Optional;

/**
 * What a run has done and used.
 *
 * @param resumed requests whose end an earlier attempt at the run had brought
 * @param answered requests answered by this attempt
 * @param failed requests that failed for good in this attempt
 * @param lost requests that were let go and whose reply, if there was one, was lost by a crash;
 *     they were asked again
 * @param requests requests sent in all attempts at the run, tries that failed included
 * @param tokens read and written in all attempts, those of lost replies at their worst
 * @param costUsd of all attempts, lost replies at their worst; empty where there is no price
 * @param lostCostUsd the part of it that lost replies may have cost at worst; empty where there is
 *     no price
 */
public record FanoutFigures(
    @JsonProperty("requests_resumed") long resumed,
    @JsonProperty("requests_answered") long answered,
    @JsonProperty("requests_failed") long failed,
    @JsonProperty("requests_lost_in_flight") long lost,
    @JsonProperty("requests_sent") long requests,
    long tokens,
    Optional<Double> costUsd,
    @JsonProperty("lost_cost_usd_at_most") Optional<Double> lostCostUsd) {

  /**
   * The same with what the run had asked another teacher before; what all attempts have sent and
   * used is counted here already.
   */
  public FanoutFigures after(FanoutFigures before) {
    return new FanoutFigures(
        resumed + before.resumed,
        answered + before.answered,
        failed + before.failed,
        lost,
        requests,
        tokens,
        costUsd.or(before::costUsd),
        lostCostUsd.or(before::lostCostUsd));
  }

  /**
   * Errors, tokens and cost as a progress line shows them.
   *
   * @param total requests of the run, for the projected cost
   */
  public String detail(long total) {
    var text = new StringBuilder();
    text.append(failed).append(" failed, ").append(tokens).append(" tokens");
    // A teacher of our own costs nothing, and needs no zeros in every line.
    costUsd
        .filter(cost -> cost > 0)
        .ifPresent(
            cost -> {
              long done = resumed + answered + failed;
              text.append(String.format(Locale.ROOT, ", $%.4f", cost));
              if (done > 0 && total > done) {
                text.append(String.format(Locale.ROOT, " of about $%.4f", cost * total / done));
              }
            });
    return text.toString();
  }
}
