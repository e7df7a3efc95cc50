package dev.distillery.jobs.rate;

import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.percentile;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.rating.Agreement;
import dev.distillery.core.run.JobException;
import dev.distillery.jobs.rate.RateFigures.BothSaid;
import dev.distillery.jobs.rate.RateFigures.ModelVotes;
import dev.distillery.jobs.rate.RateFigures.Said;
import dev.distillery.jobs.rate.RateSummary.RatedModel;
import dev.distillery.jobs.rate.RateSummary.Rater;
import dev.distillery.jobs.rate.RateSummary.RaterPair;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * What the judgements of a collection come to; tests of attention count in none but the raters'.
 */
final class JudgedFigures {
  /** So many raters and no more are compared two by two. */
  static final int MOST_PAIRED = 60;

  /** Other kinds of what raters said together are too many to count. */
  private static final int MOST_KINDS = 1_000_000;

  private final RateForm form;
  private final Dataset<Row> counted;

  /**
   * @param judgements the table's rows
   */
  JudgedFigures(RateForm form, Dataset<Row> judgements) {
    this.form = form;
    this.counted = judgements.where(col("split").isNull());
  }

  /** Rates and agreement. */
  Map<String, Number> figures(long seed) {
    return switch (form) {
      case PAIRWISE, RANKING -> {
        List<Said> said = said(counted, col("verdict"));
        Map<String, Number> figures =
            new TreeMap<>(
                RateFigures.agreement(said, RateFigures.VERDICTS, Agreement.Level.NOMINAL, ""));
        if (form == RateForm.PAIRWISE) {
          figures.putAll(RateFigures.pairwise(said, seed));
        }
        yield figures;
      }
      case AUDIT -> {
        Map<String, Number> figures = new TreeMap<>();
        for (String question : RateForm.QUESTIONS) {
          List<Said> said = said(counted, col("label").getItem(question));
          figures.putAll(RateFigures.yes(question, said));
          figures.putAll(
              RateFigures.agreement(
                  said, List.of("yes", "no"), Agreement.Level.NOMINAL, "." + question));
        }
        Column allYes = lit(true);
        for (String question : RateForm.QUESTIONS) {
          allYes = allYes.and(col("label").getItem(question).equalTo("yes"));
        }
        figures.putAll(
            RateFigures.yes("all_right", said(counted, when(allYes, "yes").otherwise("no"))));
        yield figures;
      }
      case RATING -> {
        List<Said> said = said(counted, col("label").getItem(Vote.LEVEL));
        Map<String, Number> figures =
            new TreeMap<>(
                RateFigures.agreement(said, RateForm.LEVELS, Agreement.Level.ORDINAL, ""));
        figures.putAll(RateFigures.levels(said));
        yield figures;
      }
      case DEMONSTRATION -> Map.of();
    };
  }

  private static final Column[] JUDGED = {
    col("id"), col("model_a"), col("model_b"), col("answer_a"), col("answer_b")
  };

  /** What the raters of an item said, and of how many items each such thing was said. */
  private static List<Said> said(Dataset<Row> judgements, Column label) {
    List<Row> rows =
        judgements
            .groupBy(JUDGED)
            .agg(array_sort(collect_list(label)).as("labels"))
            .groupBy("labels")
            .count()
            .limit(MOST_KINDS + 1)
            .collectAsList();
    if (rows.size() > MOST_KINDS) {
      throw JobException.invalid(
          "Raters said more than %s different things together, more than are counted; collect fewer files"
              .formatted(MOST_KINDS));
    }
    return rows.stream().map(row -> new Said(row.<String>getList(0), row.getLong(1))).toList();
  }

  private static List<RaterPair> pairs(Dataset<Row> judgements, Column label, List<String> labels) {
    Dataset<Row> one =
        judgements.select(
            to_json(struct(JUDGED)).as("judged"), col("judge").as("first"), label.as("said"));
    Dataset<Row> other =
        one.select(col("judged"), col("first").as("second"), col("said").as("said_too"));
    return RateFigures.pairs(
        one
            .join(other, "judged")
            .where(col("first").lt(col("second")))
            .groupBy("first", "second", "said", "said_too")
            .count()
            .collectAsList()
            .stream()
            .map(
                row ->
                    new BothSaid(
                        row.getString(0),
                        row.getString(1),
                        row.getString(2),
                        row.getString(3),
                        row.getLong(4)))
            .toList(),
        labels);
  }

  /** Each two raters; none of an audit, which asks several things. */
  List<RaterPair> pairs() {
    return switch (form) {
      case PAIRWISE, RANKING -> pairs(counted, col("verdict"), RateFigures.VERDICTS);
      case RATING -> pairs(counted, col("label").getItem(Vote.LEVEL), RateForm.LEVELS);
      case AUDIT, DEMONSTRATION -> List.of();
    };
  }

  /** The models that were compared, by rating. */
  List<RatedModel> models() {
    if (form != RateForm.PAIRWISE && form != RateForm.RANKING) {
      return List.of();
    }
    return RateFigures.models(
        counted.groupBy("model_a", "model_b", "verdict").count().collectAsList().stream()
            .map(
                row ->
                    new ModelVotes(
                        row.getString(0), row.getString(1), row.getString(2), row.getLong(3)))
            .toList());
  }

  /** Who rated; an answer shown first is known of pairs only. */
  static List<Rater> raters(Dataset<Row> kept) {
    Column test = col(VoteRows.ITEM).getField("expected");
    Column first = col("verdict").equalTo(col("shown_first"));
    Column sided = col("verdict").isin("1", "2").and(col("shown_first").isNotNull());
    Dataset<Row> rows =
        kept.groupBy("judge")
            .agg(
                count_if(test.isNull()).as("votes"),
                percentile(col("seconds"), lit(0.5)).as("median"),
                count_if(sided).as("sided"),
                count_if(sided.and(first)).as("first"),
                count(test).as("tests"),
                count_if(test.equalTo(col("verdict"))).as("passed"))
            .sort("judge");
    return rows.collectAsList().stream()
        .map(
            row ->
                new Rater(
                    row.getAs("judge"),
                    row.getAs("votes"),
                    row.getAs("median"),
                    share(row.getAs("first"), row.getAs("sided")),
                    row.getAs("tests"),
                    share(row.getAs("passed"), row.getAs("tests"))))
        .toList();
  }

  private static @Nullable Double share(long part, long whole) {
    return whole == 0 ? null : (double) part / whole;
  }
}
