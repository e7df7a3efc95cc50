package dev.distillery.jobs.judge;

import dev.distillery.core.rating.WinRate;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What verdicts come to. Made of counts, so that the order of rows changes no bit.
 *
 * <p>Pairwise, as FastChat's show_result: {@code win_rate} = wins / n, {@code win_rate_adjusted} =
 * (wins + ties / 2) / n. AlpacaEval: {@code win_rate} = mean of (preference - 1), a tie half a win.
 */
final class JudgeFigures {
  private JudgeFigures() {}

  /**
   * Judgements that are alike, and how many there are; null where the column is.
   *
   * @param rule why they have no verdict
   */
  record Tally(
      @Nullable String criterion,
      @Nullable String rule,
      @Nullable String verdict,
      @Nullable Double score,
      @Nullable String shownFirst,
      @Nullable String aFirst,
      @Nullable String bFirst,
      long count) {}

  /** The figures by name; with criteria each name ends with a dot and the criterion. */
  static Map<String, Number> of(
      JudgeForm form, List<@Nullable String> criteria, List<Tally> tallies) {
    var figures = new TreeMap<String, Number>();
    for (String criterion : criteria) {
      List<Tally> own =
          tallies.stream().filter(t -> Objects.equals(t.criterion(), criterion)).toList();
      of(form, own)
          .forEach(
              (name, value) ->
                  figures.put(criterion == null ? name : name + "." + criterion, value));
    }
    return figures;
  }

  private static Map<String, Number> of(JudgeForm form, List<Tally> all) {
    var figures = new TreeMap<String, Number>();
    figures.put("unparsed", count(all, t -> Judgement.UNPARSED.equals(t.rule())));
    figures.put("cut", count(all, t -> Judgement.CUT.equals(t.rule())));
    figures.put("judge_failed", count(all, t -> Judgement.FAILED.equals(t.rule())));
    List<Tally> judged = all.stream().filter(t -> t.rule() == null).toList();
    long n = count(judged, t -> true);
    figures.put("judged", n);
    if (form == JudgeForm.SINGLE) {
      meanScore(figures, judged);
      return figures;
    }
    long wins = count(judged, t -> Judgement.A.equals(t.verdict()));
    long losses = count(judged, t -> Judgement.B.equals(t.verdict()));
    var rate = new WinRate(wins, n - wins - losses, losses);
    figures.put("wins", rate.wins());
    figures.put("losses", rate.losses());
    figures.put("ties", rate.ties());
    String adjusted = "win_rate";
    if (form == JudgeForm.PAIRWISE) {
      adjusted = "win_rate_adjusted";
      put(figures, "win_rate", rate.rate());
      put(
          figures,
          "order_agreement",
          ratio(count(judged, t -> Objects.equals(t.aFirst(), t.bFirst())), n));
    } else {
      figures.put("identical", count(judged, t -> t.shownFirst() == null));
    }
    put(figures, adjusted, rate.adjustedRate());
    put(figures, adjusted + "_stderr", rate.standardError());
    put(figures, "first_position_share", firstPosition(judged));
    return figures;
  }

  /** Of the verdicts for one side, the share that is for the one shown first. */
  private static OptionalDouble firstPosition(List<Tally> judged) {
    long first = 0;
    long decided = 0;
    for (Tally tally : judged) {
      boolean one = tally.shownFirst() != null;
      decided +=
          tally.count()
              * (sided(tally.aFirst())
                  + sided(tally.bFirst())
                  + (one ? sided(tally.verdict()) : 0));
      first +=
          tally.count()
              * ((Judgement.A.equals(tally.aFirst()) ? 1 : 0)
                  + (Judgement.B.equals(tally.bFirst()) ? 1 : 0)
                  + (one && Objects.equals(tally.shownFirst(), tally.verdict()) ? 1 : 0));
    }
    return ratio(first, decided);
  }

  private static int sided(@Nullable String verdict) {
    return Judgement.A.equals(verdict) || Judgement.B.equals(verdict) ? 1 : 0;
  }

  private static long count(List<Tally> tallies, Predicate<Tally> which) {
    return tallies.stream().filter(which).mapToLong(Tally::count).sum();
  }

  private static OptionalDouble ratio(long part, long whole) {
    return whole == 0 ? OptionalDouble.empty() : OptionalDouble.of((double) part / whole);
  }

  private static void put(Map<String, Number> figures, String name, OptionalDouble value) {
    value.ifPresent(there -> figures.put(name, there));
  }

  /** The mean of the grades, and its standard error, over n - 1. */
  private static void meanScore(Map<String, Number> figures, List<Tally> judged) {
    var counts = new TreeMap<Double, Long>();
    judged.forEach(
        tally -> counts.merge(Objects.requireNonNull(tally.score()), tally.count(), Long::sum));
    long n = counts.values().stream().mapToLong(Long::longValue).sum();
    if (n == 0) {
      return;
    }
    double sum = 0;
    for (var entry : counts.entrySet()) {
      sum += entry.getKey() * entry.getValue();
    }
    double mean = sum / n;
    figures.put("mean_score", mean);
    if (n > 1) {
      double squares = 0;
      for (var entry : counts.entrySet()) {
        squares += entry.getValue() * (entry.getKey() - mean) * (entry.getKey() - mean);
      }
      figures.put("mean_score_stderr", Math.sqrt(squares / (n - 1) / n));
    }
  }
}
