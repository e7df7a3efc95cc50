package dev.distillery.jobs.rate;

import static dev.distillery.jobs.rate.VoteRows.DETAIL;
import static dev.distillery.jobs.rate.VoteRows.ITEM;
import static dev.distillery.jobs.rate.VoteRows.RULE;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;

import dev.distillery.core.run.JobException;
import dev.distillery.jobs.rate.RateSummary.Rater;
import dev.distillery.jobs.rate.RateSummary.RaterPair;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.SameIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * Takes back what raters said. Of a rater's votes on an item the latest counts; where the latest
 * differ and no time tells them apart, none does.
 */
final class Collecting {
  private final JobRun run;
  private final RateOptions options;

  Collecting(JobRun run, RateOptions options) {
    this.run = run;
    this.options = options;
  }

  Outcome<RateSummary> collect() {
    Dataset<Row> items =
        run.inputs(options.input(), Tables.RATING_ITEMS).persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> votes =
        VoteRows.read(run, options.collect(), items).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      return collect(items, votes);
    } finally {
      votes.unpersist();
      items.unpersist();
    }
  }

  private Outcome<RateSummary> collect(Dataset<Row> items, Dataset<Row> votes) {
    RateForm form = form(items);
    Dataset<Row> kept = votes.where(col(RULE).isNull().and(col("rank").equalTo(1)));
    Row counts =
        votes
            .agg(
                count(lit(1)),
                count_if(col(RULE).isNull().and(col("rank").equalTo(1))),
                count_if(col(RULE).isNull().and(col("rank").gt(1))))
            .head();
    long all = counts.getLong(0);
    if (run.dryRun()) {
      return Outcome.done(summary(items, kept, all, form, Map.of()));
    }
    if (form != RateForm.DEMONSTRATION) {
      run.write(Tables.JUDGEMENTS, rows(kept, Tables.JUDGEMENTS, Judgements::of));
    }
    if (form == RateForm.RANKING) {
      run.write(Tables.PREFERENCES, rows(kept, Tables.PREFERENCES, Judgements::preferences));
    }
    if (form == RateForm.DEMONSTRATION) {
      run.write(Tables.INSTRUCTIONS, rows(kept, Tables.INSTRUCTIONS, Judgements::instructions));
    }
    if (counts.getLong(2) > 0) {
      run.write(Tables.DUPLICATES, VoteRows.duplicates(votes));
    }
    long rejected = all - counts.getLong(1) - counts.getLong(2);
    Map<String, Long> byRule =
        rejected == 0
            ? Map.of()
            : run.reject(
                votes.where(col(RULE).isNotNull()).withColumn("id", col("vote")),
                col(RULE),
                concat(col("file"), lit(": "), col(DETAIL)),
                col("line"));
    RowAccount account =
        RowAccount.of("votes", all, counts.getLong(1))
            .duplicates(counts.getLong(2))
            .rejects(byRule);
    Map<String, Number> figures = new TreeMap<>();
    if (form != RateForm.DEMONSTRATION) {
      figures.putAll(judged(form).figures(options.run().randomSeed()));
    }
    return Outcome.done(summary(items, kept, all, form, figures), account);
  }

  /** What the items ask, which is one thing. */
  private RateForm form(Dataset<Row> items) {
    List<String> forms =
        items.select("form").distinct().sort("form").as(Encoders.STRING()).collectAsList();
    if (forms.size() != 1) {
      throw JobException.invalid(
          "Option --input: expected items of one form, found "
              + (forms.isEmpty() ? "none" : forms)
              + " in "
              + options.input()
              + "; name rating_items@RUN_ID of the run that made the page");
    }
    SameIds.refuse(
        items, to_json(struct("*")), lit("" + options.input()), "items", "name each run once");
    return RateForm.of(forms.get(0));
  }

  /** Makes rows of a vote. */
  @FunctionalInterface
  interface Maker extends java.io.Serializable {
    List<Row> of(RatingItem item, Vote vote);
  }

  private static Dataset<Row> rows(Dataset<Row> kept, Table table, Maker maker) {
    return kept.flatMap(new MakeRows(maker), Encoders.row(table.schema()));
  }

  private JudgedFigures judged(RateForm form) {
    return new JudgedFigures(form, run.staged(Tables.JUDGEMENTS.name()));
  }

  private List<RaterPair> pairs(RateForm form, int raters) {
    if (raters > JudgedFigures.MOST_PAIRED) {
      run.progress()
          .say(
              "%s raters are more than %s: no two are compared alone"
                  .formatted(raters, JudgedFigures.MOST_PAIRED));
      return List.of();
    }
    return judged(form).pairs();
  }

  private RateSummary summary(
      Dataset<Row> items, Dataset<Row> kept, long all, RateForm form, Map<String, Number> figures) {
    List<Rater> raters = JudgedFigures.raters(kept);
    long rated = kept.select("vote").distinct().count();
    long there = items.count();
    boolean judged = !run.dryRun() && form != RateForm.DEMONSTRATION;
    return new RateSummary(
        run.summary(),
        there,
        Optional.empty(),
        Optional.of(all),
        Optional.of(there - rated),
        raters,
        judged ? pairs(form, raters.size()) : List.of(),
        judged ? judged(form).models() : List.of(),
        figures);
  }

  /** A vote as rows of a table. */
  static final class MakeRows implements FlatMapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;
    private final Maker maker;

    MakeRows(Maker maker) {
      this.maker = maker;
    }

    @Override
    public Iterator<Row> call(Row row) {
      try {
        return maker.of(RatingItem.of(row.getAs(ITEM)), Vote.read(row.getAs("line"))).iterator();
      } catch (Vote.RefusedException e) {
        throw new IllegalStateException("A vote that was read is none: " + e.detail(), e);
      }
    }
  }
}
