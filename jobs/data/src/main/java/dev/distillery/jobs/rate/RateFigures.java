package dev.distillery.jobs.rate;

import dev.distillery.core.rating.Agreement;
import dev.distillery.core.rating.BradleyTerry;
import dev.distillery.core.rating.Interval;
import dev.distillery.core.rating.ItemVotes;
import dev.distillery.core.rating.WinRate;
import dev.distillery.jobs.rate.RateSummary.RatedModel;
import dev.distillery.jobs.rate.RateSummary.RaterPair;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What votes come to. Made of counts, so that the order of rows changes no bit. */
final class RateFigures {
  /** The verdicts on two answers. */
  static final List<String> VERDICTS = List.of(RatingItem.A, RatingItem.B, Vote.TIE, Vote.BOTH_BAD);

  private RateFigures() {}

  /**
   * Items whose raters said the same.
   *
   * @param labels what each rater said, in any order
   */
  record Said(List<String> labels, long items) {
    Said {
      labels = List.copyOf(labels);
    }

    long count(String label) {
      return Collections.frequency(labels, label);
    }
  }

  /** Items that two raters labelled so. */
  record BothSaid(String first, String second, String firstLabel, String secondLabel, long items) {}

  /** Verdicts of a kind between two models, or of one. */
  record ModelVotes(String modelA, String modelB, String verdict, long votes) {}

  /** Wins of --input against --against, with intervals; a tie and both bad are half a win each. */
  static Map<String, Number> pairwise(List<Said> said, long seed) {
    Map<WinRate, Long> items = new HashMap<>();
    long bothBad = 0;
    for (Said one : said) {
      long a = one.count(RatingItem.A);
      long b = one.count(RatingItem.B);
      bothBad += one.count(Vote.BOTH_BAD) * one.items();
      items.merge(new WinRate(a, one.labels().size() - a - b, b), one.items(), Long::sum);
    }
    var votes = new ItemVotes(items);
    WinRate rate = votes.total();
    Map<String, Number> figures = new TreeMap<>();
    figures.put("wins", rate.wins());
    figures.put("ties", rate.ties() - bothBad);
    figures.put("both_bad", bothBad);
    figures.put("losses", rate.losses());
    put(figures, "win_rate", rate.rate());
    put(figures, "win_rate_exact", rate.exactInterval());
    put(figures, "win_rate_adjusted", rate.adjustedRate());
    put(figures, "win_rate_adjusted", votes.bootstrapInterval(seed, WinRate.RESAMPLES));
    put(figures, "sign_test_p", rate.signTest());
    return figures;
  }

  /**
   * How far raters agree; names end with the suffix.
   *
   * @param labels that there are, in their order where that counts
   */
  static Map<String, Number> agreement(
      List<Said> said, List<String> labels, Agreement.Level level, String suffix) {
    var agreement = new Agreement(labels);
    // Item by item, but counted: an item of the same labels adds the same.
    for (Said one : said) {
      agreement.add(one.labels(), one.items());
    }
    Map<String, Number> figures = new TreeMap<>();
    put(figures, "raw_agreement" + suffix, agreement.rawAgreement());
    put(figures, "fleiss_kappa" + suffix, agreement.fleissKappa());
    put(figures, "krippendorff_alpha" + suffix, agreement.krippendorffAlpha(level));
    return figures;
  }

  /** Each two raters, by name. */
  static List<RaterPair> pairs(List<BothSaid> both, List<String> labels) {
    Map<List<String>, long[][]> tables = new HashMap<>();
    for (BothSaid one : both) {
      tables
              .computeIfAbsent(
                  List.of(one.first(), one.second()),
                  unused -> new long[labels.size()][labels.size()])[
              labels.indexOf(one.firstLabel())][labels.indexOf(one.secondLabel())] +=
          one.items();
    }
    List<RaterPair> pairs = new ArrayList<>();
    tables.forEach(
        (raters, table) -> {
          long items = 0;
          long same = 0;
          for (int i = 0; i < table.length; i++) {
            same += table[i][i];
            for (long cell : table[i]) {
              items += cell;
            }
          }
          pairs.add(
              new RaterPair(
                  raters.get(0),
                  raters.get(1),
                  items,
                  (double) same / items,
                  orNull(Agreement.cohenKappa(table))));
        });
    pairs.sort((x, y) -> (x.first() + "\n" + x.second()).compareTo(y.first() + "\n" + y.second()));
    return pairs;
  }

  /** The models by rating. */
  static List<RatedModel> models(List<ModelVotes> votes) {
    List<BradleyTerry.Votes> pairs = new ArrayList<>();
    for (ModelVotes one : votes) {
      if (!one.modelA().equals(one.modelB())) {
        long a = one.verdict().equals(RatingItem.A) ? one.votes() : 0;
        long b = one.verdict().equals(RatingItem.B) ? one.votes() : 0;
        pairs.add(new BradleyTerry.Votes(one.modelA(), one.modelB(), a, one.votes() - a - b, b));
      }
    }
    List<RatedModel> models = new ArrayList<>();
    for (List<BradleyTerry.Rating> group :
        BradleyTerry.fit(pairs, BradleyTerry.Scale.LOGIT, 0).groups()) {
      for (BradleyTerry.Rating rating : group) {
        models.add(
            new RatedModel(
                rating.model(),
                rating.votes().wins(),
                rating.votes().ties(),
                rating.votes().losses(),
                orNull(rating.rating()),
                orNull(rating.interval().low()),
                orNull(rating.interval().high()),
                rating.standing().name().toLowerCase(Locale.ROOT)));
      }
    }
    return models;
  }

  /** The share of yes to each question of an audit, and of rows with all three. */
  static Map<String, Number> yes(String question, List<Said> said) {
    long yes = said.stream().mapToLong(one -> one.count("yes") * one.items()).sum();
    long all = said.stream().mapToLong(one -> one.labels().size() * one.items()).sum();
    var rate = new WinRate(yes, 0, all - yes);
    Map<String, Number> figures = new TreeMap<>();
    put(figures, question, rate.rate());
    put(figures, question, rate.exactInterval());
    return figures;
  }

  /** Votes on each level, as Self-Instruct shows them. */
  static Map<String, Number> levels(List<Said> said) {
    Map<String, Number> figures = new TreeMap<>();
    long all = said.stream().mapToLong(one -> one.labels().size() * one.items()).sum();
    for (String level : RateForm.LEVELS) {
      long votes = said.stream().mapToLong(one -> one.count(level) * one.items()).sum();
      figures.put("votes_" + level, votes);
      if (all > 0) {
        figures.put("share_" + level, (double) votes / all);
      }
    }
    return figures;
  }

  private static @Nullable Double orNull(OptionalDouble value) {
    return value.isPresent() ? value.getAsDouble() : null;
  }

  private static void put(Map<String, Number> figures, String name, OptionalDouble value) {
    value.ifPresent(there -> figures.put(name, there));
  }

  private static void put(Map<String, Number> figures, String name, Optional<Interval> interval) {
    interval.ifPresent(
        there -> {
          put(figures, name + "_low", there.low());
          put(figures, name + "_high", there.high());
        });
  }
}
