package dev.distillery.jobs.rate;

import dev.distillery.jobs.rate.RatingItem.Answer;
import dev.distillery.spark.warehouse.InstructionRow;
import dev.distillery.spark.warehouse.PreferenceRow;
import dev.distillery.spark.warehouse.StableIds;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IntSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/** Votes that their items take, as rows of the tables. */
final class Judgements {
  /** What column split says of an item that tests attention. */
  static final String ATTENTION = "attention";

  private Judgements() {}

  /** Rows of judgements: one, of a ranking one for each two answers, of a demonstration none. */
  static List<Row> of(RatingItem item, Vote vote) {
    return switch (item.form()) {
      case PAIRWISE -> List.of(pair(item, vote));
      case RANKING -> pairs(item, vote);
      case AUDIT, RATING -> List.of(single(item, vote));
      case DEMONSTRATION -> List.of();
    };
  }

  private static Row pair(RatingItem item, Vote vote) {
    String a = item.placeOf(RatingItem.A);
    Answer answerA = item.answer(a);
    Answer answerB = item.answer(item.placeOf(RatingItem.B));
    String said = vote.member(Vote.VERDICT);
    String verdict = !item.hasPlace(said) ? said : a.equals(said) ? RatingItem.A : RatingItem.B;
    String first = vote.member(Vote.SHOWN_FIRST);
    return row(
        item,
        vote,
        answerA,
        answerB,
        verdict,
        first == null ? null : a.equals(first) ? RatingItem.A : RatingItem.B,
        null,
        Map.of());
  }

  private static List<Row> pairs(RatingItem item, Vote vote) {
    Map<String, Integer> ranks = ranks(vote);
    List<Row> rows = new ArrayList<>();
    List<Answer> answers = item.answers();
    for (int i = 0; i < answers.size(); i++) {
      for (int j = 0; j < answers.size(); j++) {
        // The order of texts is the same for all raters, and no rater's.
        if (i != j && isBefore(answers.get(i), answers.get(j))) {
          int ahead = ranks.get("" + (j + 1)) - ranks.get("" + (i + 1));
          rows.add(
              row(
                  item,
                  vote,
                  answers.get(i),
                  answers.get(j),
                  ahead == 0 ? Vote.TIE : ahead > 0 ? RatingItem.A : RatingItem.B,
                  null,
                  null,
                  Map.of(
                      "rank_a", "" + ranks.get("" + (i + 1)),
                      "rank_b", "" + ranks.get("" + (j + 1)))));
        }
      }
    }
    return rows;
  }

  private static boolean isBefore(Answer one, Answer other) {
    return (one.model() + "\n" + one.text()).compareTo(other.model() + "\n" + other.text()) < 0;
  }

  /** The rank of each place, from 1; equal ones share it. */
  private static Map<String, Integer> ranks(Vote vote) {
    Map<String, Integer> ranks = new HashMap<>();
    int before = 0;
    for (List<String> equal : vote.ranking()) {
      for (String place : equal) {
        ranks.put(place, before + 1);
      }
      before += equal.size();
    }
    return ranks;
  }

  private static Row single(RatingItem item, Vote vote) {
    Map<String, String> label = vote.label();
    Double score =
        item.form() == RateForm.RATING
            ? (double) (RateForm.LEVELS.size() - RateForm.LEVELS.indexOf(label.get(Vote.LEVEL)))
            : null;
    return row(item, vote, item.answers().get(0), null, null, null, score, label);
  }

  private static Row row(
      RatingItem item,
      Vote vote,
      Answer a,
      @Nullable Answer b,
      @Nullable String verdict,
      @Nullable String shownFirst,
      @Nullable Double score,
      Map<String, String> label) {
    return RowFactory.create(
        item.rowId(),
        item.prompt(),
        a.model(),
        b == null ? null : b.model(),
        a.text(),
        b == null ? null : b.text(),
        verdict,
        vote.judge(),
        shownFirst,
        vote.seconds(),
        item.expected() == null ? null : ATTENTION,
        null,
        score,
        label.isEmpty() ? null : CollectionConverters.asScala(label),
        null,
        item.source(),
        item.license());
  }

  /**
   * What a ranking says of each two texts, a group of its own. A text that several answers have was
   * ranked several times: of two texts a row is made where every comparison says the same.
   */
  static List<Row> preferences(RatingItem item, Vote vote) {
    if (item.form() != RateForm.RANKING) {
      return List.of();
    }
    Map<String, Integer> ranks = ranks(vote);
    String group = StableIds.of("ranking", item.id(), vote.judge());
    List<Row> rows = new ArrayList<>();
    Map<String, IntSummaryStatistics> texts = new LinkedHashMap<>();
    for (int i = 1; i <= item.answers().size(); i++) {
      texts
          .computeIfAbsent(item.answer("" + i).text(), text -> new IntSummaryStatistics())
          .accept(ranks.get("" + i));
    }
    for (var better : texts.entrySet()) {
      for (var worse : texts.entrySet()) {
        if (better.getValue().getMax() < worse.getValue().getMin()) {
          String chosen = better.getKey();
          String rejected = worse.getKey();
          rows.add(
              new PreferenceRow(
                      StableIds.of(group, chosen, rejected),
                      group,
                      OptionalDouble.empty(),
                      item.turns(),
                      chosen,
                      rejected,
                      OptionalDouble.empty(),
                      OptionalDouble.empty(),
                      Optional.empty(),
                      item.source(),
                      item.license(),
                      List.of(),
                      Optional.empty())
                  .toRow());
        }
      }
    }
    return rows;
  }

  /** What a person answered; answers to one row are instances of one task. */
  static List<Row> instructions(RatingItem item, Vote vote) {
    if (item.form() != RateForm.DEMONSTRATION) {
      return List.of();
    }
    String asked = item.asked();
    String input = item.instruction() == null || item.input() == null ? "" : item.input();
    String text = "" + vote.member(Vote.TEXT);
    return List.of(
        new InstructionRow(
                StableIds.of("demonstration", item.rowId(), vote.judge(), asked, input, text),
                item.rowId(),
                asked,
                input,
                text,
                Optional.empty(),
                "human",
                item.source(),
                item.license(),
                Optional.empty(),
                Optional.empty(),
                List.of(),
                0,
                Optional.ofNullable(vote.millis()).map(Instant::ofEpochMilli))
            .toRow());
  }
}
