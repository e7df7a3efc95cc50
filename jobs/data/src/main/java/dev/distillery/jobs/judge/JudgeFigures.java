package dev.distillery.jobs.judge;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/**
 * What verdicts come to. Made of counts, so that the order of rows changes no bit.
 *
 * <p>Pairwise, as FastChat's show_result: {@code win_rate} = wins / n, {@code win_rate_adjusted} =
 * (wins + ties / 2) / n. AlpacaEval: {@code win_rate} = mean of (preference - 1), a tie half a win.
 * Standard errors are those of a mean: the sample's deviation (n - 1) over the root of n.
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
    figures.put("judge_failed", count(all, t -> Judgement.FAILED.equals(t.rule())));
    List<Tally> judged = all.stream().filter(t -> t.rule() == null).toList();
    long n = count(judged, t -> true);
    figures.put("judged", n);
    if (form == JudgeForm.SINGLE) {
      mean(figures, "mean_score", judged, t -> Objects.requireNonNull(t.score()));
      return figures;
    }
    long wins = count(judged, t -> Judgement.A.equals(t.verdict()));
    long losses = count(judged, t -> Judgement.B.equals(t.verdict()));
    figures.put("wins", wins);
    figures.put("losses", losses);
    figures.put("ties", n - wins - losses);
    if (form == JudgeForm.PAIRWISE) {
      ratio(figures, "win_rate", wins, n);
      mean(figures, "win_rate_adjusted", judged, JudgeFigures::points);
      ratio(
          figures,
          "order_agreement",
          count(judged, t -> Objects.equals(t.aFirst(), t.bFirst())),
          n);
    } else {
      mean(figures, "win_rate", judged, JudgeFigures::points);
      figures.put("identical", count(judged, t -> t.shownFirst() == null));
    }
    firstPosition(figures, judged);
    return figures;
  }

  /** Of the verdicts for one side, the share that is for the one shown first. */
  private static void firstPosition(Map<String, Number> figures, List<Tally> judged) {
    long first = 0;
    long decided = 0;
    for (Tally tally : judged) {
      List<String[]> shown = new ArrayList<>();
      shown.add(new String[] {Judgement.A, tally.aFirst()});
      shown.add(new String[] {Judgement.B, tally.bFirst()});
      if (tally.shownFirst() != null) {
        shown.add(new String[] {tally.shownFirst(), tally.verdict()});
      }
      for (String[] order : shown) {
        if (Judgement.A.equals(order[1]) || Judgement.B.equals(order[1])) {
          decided += tally.count();
          first += order[0].equals(order[1]) ? tally.count() : 0;
        }
      }
    }
    ratio(figures, "first_position_share", first, decided);
  }

  private static double points(Tally tally) {
    return Judgement.A.equals(tally.verdict()) ? 1 : Judgement.B.equals(tally.verdict()) ? 0 : 0.5;
  }

  private static long count(List<Tally> tallies, Predicate<Tally> which) {
    return tallies.stream().filter(which).mapToLong(Tally::count).sum();
  }

  private static void ratio(Map<String, Number> figures, String name, long part, long whole) {
    if (whole > 0) {
      figures.put(name, (double) part / whole);
    }
  }

  private static void mean(
      Map<String, Number> figures, String name, List<Tally> tallies, ToDoubleFunction<Tally> of) {
    var counts = new TreeMap<Double, Long>();
    tallies.forEach(tally -> counts.merge(of.applyAsDouble(tally), tally.count(), Long::sum));
    long n = counts.values().stream().mapToLong(Long::longValue).sum();
    if (n == 0) {
      return;
    }
    double sum = 0;
    for (var entry : counts.entrySet()) {
      sum += entry.getKey() * entry.getValue();
    }
    double mean = sum / n;
    figures.put(name, mean);
    if (n > 1) {
      double squares = 0;
      for (var entry : counts.entrySet()) {
        squares += entry.getValue() * (entry.getKey() - mean) * (entry.getKey() - mean);
      }
      figures.put(name + "_stderr", Math.sqrt(squares / (n - 1) / n));
    }
  }
}
