package dev.distillery.jobs.reward;

import static org.apache.spark.sql.functions.abs;
import static org.apache.spark.sql.functions.avg;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.floor;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.when;

import dev.distillery.jobs.reward.RewardSummary.Group;
import dev.distillery.model.train.PairEvaluation;
import dev.distillery.training.reward.ScorePairs;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * What a reward model is worth on comparisons that it was not trained on, beside what rules that
 * read no answer get there. Sums are taken by Spark and exactly, so that partitions change nothing.
 *
 * @param figures by name
 * @param bySource by the source of rows
 * @param byLength by the characters that the chosen answer has more
 * @param rules what looks alone get
 * @param margins how many comparisons have which difference of scores
 * @param evaluation area under the ROC curve, calibration
 */
record HeldOut(
    Map<String, Number> figures,
    List<Group> bySource,
    List<Group> byLength,
    List<LookRules.Rule> rules,
    Histogram margins,
    PairEvaluation.Result evaluation) {
  /** Comparisons that the ROC curve is of at most, the first by their ids. */
  private static final int MOST = 100_000;

  private static final int BARS = 40;

  /** Bounds of the groups by length. */
  private static final int[] BOUNDS = {-300, -100, -25, 25, 100, 300};

  private static final Column MARGIN = col("chosen_score").minus(col("rejected_score"));
  private static final Column WINS =
      when(col("chosen_score").gt(col("rejected_score")), 1).otherwise(0);

  /**
   * Numbers of comparisons.
   *
   * @param from lower bound of each bar, ascending
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  record Histogram(double[] from, double[] counts) {}

  /**
   * Evaluates.
   *
   * @param held comparisons; those that cannot be trained on are left out
   * @param rules fitted on the training part
   */
  static HeldOut of(Dataset<Row> held, ScorePairs model, LookRules rules) {
    Dataset<Row> scored =
        held.mapPartitions(model, Encoders.row(ScorePairs.SCHEMA))
            .persist(StorageLevel.DISK_ONLY());
    try {
      return of(scored, rules);
    } finally {
      scored.unpersist();
    }
  }

  private static HeldOut of(Dataset<Row> scored, LookRules rules) {
    Group all = groups(scored, lit("all")).get(0);
    PairEvaluation.Result evaluation =
        PairEvaluation.of(
            scored
                .sort("id", "chosen_score", "rejected_score")
                .limit(MOST)
                .select(MARGIN)
                .collectAsList()
                .stream()
                .mapToDouble(row -> row.getDouble(0))
                .toArray());
    List<LookRules.Rule> tried = rules.on(scored);
    LookRules.Rule fitted = LookRules.fitted(tried);
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("held_out_pairs", all.pairs());
    figures.put("held_out_accuracy", all.accuracy());
    double[] interval = interval(all.accuracy(), all.pairs());
    figures.put("held_out_accuracy_low", interval[0]);
    figures.put("held_out_accuracy_high", interval[1]);
    figures.put("held_out_margin", all.margin());
    figures.put("held_out_roc_auc", evaluation.rocAuc());
    figures.put("held_out_calibration_error", evaluation.calibrationError());
    figures.put("held_out_longer_preferred", longerPreferred(scored));
    for (LookRules.Rule rule : tried) {
      figures.put("rule_" + rule.key(), rule.heldOut());
      figures.put("rule_" + rule.key() + "_training", rule.training());
    }
    figures.put("rule_fitted", fitted.heldOut());
    return new HeldOut(
        figures,
        groups(scored, col("source")),
        byLength(scored),
        tried,
        histogram(scored),
        evaluation);
  }

  /** What a person is told of it. */
  String describe() {
    LookRules.Rule fitted = LookRules.fitted(rules);
    double low = figure("held_out_accuracy_low");
    return String.format(
        Locale.ROOT,
        "Held out: %.0f pairs, accuracy %.4f (%.4f to %.4f); by the rule '%s', the best of the looks on the training part, %.4f%s",
        figure("held_out_pairs"),
        figure("held_out_accuracy"),
        low,
        figure("held_out_accuracy_high"),
        fitted.name(),
        fitted.heldOut(),
        low > fitted.heldOut() ? "" : ": as far as these pairs tell, no better than that rule");
  }

  private double figure(String name) {
    return figures.getOrDefault(name, 0).doubleValue();
  }

  private static List<Group> byLength(Dataset<Row> scored) {
    Column bin = lit(0);
    for (int bound : BOUNDS) {
      bin = bin.plus(when(col("longer").geq(bound), 1).otherwise(0));
    }
    return groups(scored, bin).stream()
        .map(
            group ->
                new Group(
                    range(Integer.parseInt(group.name())),
                    group.pairs(),
                    group.accuracy(),
                    group.margin()))
        .toList();
  }

  private static String range(int bin) {
    if (bin == 0) {
      return "below " + BOUNDS[0];
    }
    return bin == BOUNDS.length
        ? BOUNDS[bin - 1] + " and more"
        : BOUNDS[bin - 1] + " to " + (BOUNDS[bin] - 1);
  }

  private static List<Group> groups(Dataset<Row> scored, Column by) {
    List<Group> groups = new ArrayList<>();
    for (Row row :
        scored
            .groupBy(by.as("group"))
            .agg(
                count(lit(1)),
                avg(WINS).cast("double"),
                avg(MARGIN.cast("decimal(30,12)")).cast("double"))
            .sort("group")
            .collectAsList()) {
      groups.add(
          new Group(
              String.valueOf(row.get(0)), row.getLong(1), row.getDouble(2), row.getDouble(3)));
    }
    return groups;
  }

  /** The share of answers of unequal length whose longer one scores higher. */
  private static double longerPreferred(Dataset<Row> scored) {
    Row row =
        scored
            .where(col("longer").notEqual(0))
            .agg(avg(when(col("longer").gt(0), WINS).otherwise(lit(1).minus(WINS))).cast("double"))
            .head();
    return row.isNullAt(0) ? 0 : row.getDouble(0);
  }

  /** Bars of equal width, as many below 0 as above. */
  private static Histogram histogram(Dataset<Row> scored) {
    double most = scored.agg(max(abs(MARGIN))).head().getDouble(0);
    double width = most > 0 ? 2 * most / BARS : 1;
    double[] from = new double[BARS];
    double[] counts = new double[BARS];
    for (int bar = 0; bar < BARS; bar++) {
      from[bar] = (bar - BARS / 2) * width;
    }
    for (Row row : scored.groupBy(floor(MARGIN.divide(width)).as("bar")).count().collectAsList()) {
      int bar = Math.toIntExact(row.getLong(0)) + BARS / 2;
      counts[Math.max(0, Math.min(BARS - 1, bar))] += row.getLong(1);
    }
    return new Histogram(from, counts);
  }

  /** Wilson's interval of a share, at 95%. */
  static double[] interval(double share, long n) {
    double z = 1.959964;
    double centre = (share + z * z / (2 * n)) / (1 + z * z / n);
    double half = z * Math.sqrt(share * (1 - share) / n + z * z / (4.0 * n * n)) / (1 + z * z / n);
    return new double[] {centre - half, centre + half};
  }
}
