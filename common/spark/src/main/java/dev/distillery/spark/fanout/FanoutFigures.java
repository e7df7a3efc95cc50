package dev.distillery.spark.fanout;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

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
 * @param lostCostUsd the part of it that lost replies may have cost at worst
 */
public record FanoutFigures(
    long resumed,
    long answered,
    long failed,
    long lost,
    long requests,
    long tokens,
    Optional<Double> costUsd,
    double lostCostUsd) {

  /** The figures by the names that summaries use. */
  public Map<String, Number> named() {
    var named = new TreeMap<String, Number>();
    named.put("requests_resumed", resumed);
    named.put("requests_answered", answered);
    named.put("requests_failed", failed);
    named.put("requests_lost_in_flight", lost);
    named.put("requests_sent", requests);
    named.put("tokens", tokens);
    costUsd.ifPresent(
        cost -> {
          named.put("cost_usd", cost);
          named.put("lost_cost_usd_at_most", lostCostUsd);
        });
    return Map.copyOf(named);
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
