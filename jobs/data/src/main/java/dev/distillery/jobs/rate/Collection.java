package dev.distillery.jobs.rate;

import static org.apache.spark.sql.functions.array_sort;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.percentile;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.rating.Agreement;
import dev.distillery.core.run.JobException;
import dev.distillery.jobs.rate.RateFigures.BothSaid;
import dev.distillery.jobs.rate.RateFigures.ModelVotes;
import dev.distillery.jobs.rate.RateFigures.Said;
import dev.distillery.jobs.rate.RateSummary.RatedModel;
import dev.distillery.jobs.rate.RateSummary.Rater;
import dev.distillery.jobs.rate.RateSummary.RaterPair;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.SameIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.expressions.WindowSpec;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * Takes back what raters said. Of a rater's votes on an item the latest counts; where the latest
 * differ and no time tells them apart, none does.
 */
final class Collection {
  /** So many raters and no more are compared two by two. */
  private static final int MOST_PAIRED = 60;

  /** Other kinds of what raters said together are too many to count. */
  private static final int MOST_KINDS = 1_000_000;

  private static final String RULE = "rule";
  private static final String DETAIL = "detail";
  private static final String ITEM = "item";

  private final JobRun run;
  private final RateOptions options;

  Collection(JobRun run, RateOptions options) {
    this.run = run;
    this.options = options;
  }

  Outcome<RateSummary> collect() {
    Dataset<Row> items =
        run.inputs(options.input(), Tables.RATING_ITEMS).persist(StorageLevel.MEMORY_AND_DISK());
    Dataset<Row> votes = ranked(read(items)).persist(StorageLevel.MEMORY_AND_DISK());
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
      run.write(Tables.DUPLICATES, duplicates(votes));
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
      figures.putAll(figures(form, run.staged(Tables.JUDGEMENTS.name())));
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

  /** The lines of the files with what they vote on: vote, judge, item, millis, decision, rule. */
  private Dataset<Row> read(Dataset<Row> items) {
    List<String> files = new ArrayList<>();
    for (String path : options.collect()) {
      run.files(path).files().stream()
          .map(file -> file.getPath().toString())
          .filter(file -> !file.endsWith(RaterTokens.LINKS))
          .forEach(files::add);
    }
    if (files.isEmpty()) {
      throw JobException.invalid(
          "Option --collect: expected files of votes, found none in " + options.collect());
    }
    Dataset<Row> lines =
        PathNames.reader(run.spark(), files)
            .text(files.stream().distinct().toArray(String[]::new))
            .select(col("value").as("line"), input_file_name().as("file"))
            .where(trim(col("line")).notEqual(""))
            .map(new ReadLines(), Encoders.row(ReadLines.SCHEMA));
    Dataset<Row> known = items.select(col("id").as("vote_item"), struct("*").as(ITEM));
    return lines
        .join(known, col("vote_item").equalTo(col("item_id")), "left")
        .map(new CheckVotes(), Encoders.row(CheckVotes.SCHEMA));
  }

  /** The votes with their rank among those of a rater on an item, the one that counts first. */
  private static Dataset<Row> ranked(Dataset<Row> votes) {
    WindowSpec group = Window.partitionBy("vote", "judge", RULE);
    Column latest = coalesce(col("millis"), lit(-1L)).equalTo(col("latest"));
    Column contradict =
        min(when(latest, col("decision")))
            .over(group)
            .notEqual(max(when(latest, col("decision"))).over(group));
    return votes
        .withColumn("latest", max(coalesce(col("millis"), lit(-1L))).over(group))
        .withColumn("contradict", col(RULE).isNull().and(contradict))
        .withColumn(
            "rank",
            row_number()
                .over(group.orderBy(col("millis").desc_nulls_last(), col("line"), col("file"))))
        .withColumn(RULE, when(col("contradict"), lit("contradictory")).otherwise(col(RULE)))
        .withColumn(
            DETAIL,
            when(
                    col("contradict"),
                    concat(
                        lit("Other votes of "),
                        col("judge"),
                        lit(" on this item say something else, and no later voted_at decides")))
                .otherwise(col(DETAIL)));
  }

  private static Dataset<Row> duplicates(Dataset<Row> votes) {
    WindowSpec group = Window.partitionBy("vote", "judge");
    Column name = concat(col("vote"), lit("/"), col("judge"));
    Column kept = max(when(col("rank").equalTo(1), col("decision"))).over(group);
    Dataset<Row> valid =
        votes.where(col(RULE).isNull()).withColumn("equal", col("decision").equalTo(kept));
    return valid
        .where(col("rank").gt(1))
        .select(
            name.as("id"),
            name.as("kept_id"),
            when(col("equal"), lit(1.0)).otherwise(lit(0.0)).as("score"),
            when(col("equal"), lit("equal_row")).otherwise(lit("voted_again")).as(RULE));
  }

  /** Makes rows of a vote. */
  @FunctionalInterface
  interface Maker extends java.io.Serializable {
    List<Row> of(RatingItem item, Vote vote);
  }

  private static Dataset<Row> rows(Dataset<Row> kept, Table table, Maker maker) {
    return kept.flatMap(new MakeRows(maker), Encoders.row(table.schema()));
  }

  private Map<String, Number> figures(RateForm form, Dataset<Row> judgements) {
    Dataset<Row> counted = judgements.where(col("split").isNull());
    return switch (form) {
      case PAIRWISE, RANKING -> {
        List<Said> said = said(counted, col("verdict"));
        Map<String, Number> figures =
            new TreeMap<>(
                RateFigures.agreement(said, RateFigures.VERDICTS, Agreement.Level.NOMINAL, ""));
        if (form == RateForm.PAIRWISE) {
          figures.putAll(RateFigures.pairwise(said, options.run().randomSeed()));
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
            .limit(MOST_KINDS)
            .collectAsList();
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

  private List<RaterPair> pairs(RateForm form, Dataset<Row> judgements, int raters) {
    if (raters > MOST_PAIRED) {
      run.progress()
          .say(raters + " raters are more than " + MOST_PAIRED + ": no two are compared alone");
      return List.of();
    }
    Dataset<Row> counted = judgements.where(col("split").isNull());
    return switch (form) {
      case PAIRWISE, RANKING -> pairs(counted, col("verdict"), RateFigures.VERDICTS);
      case RATING -> pairs(counted, col("label").getItem(Vote.LEVEL), RateForm.LEVELS);
      case AUDIT -> List.of();
      case DEMONSTRATION -> List.of();
    };
  }

  private static List<RatedModel> models(RateForm form, Dataset<Row> judgements) {
    if (form != RateForm.PAIRWISE && form != RateForm.RANKING) {
      return List.of();
    }
    return RateFigures.models(
        judgements
            .where(col("split").isNull())
            .groupBy("model_a", "model_b", "verdict")
            .count()
            .collectAsList()
            .stream()
            .map(
                row ->
                    new ModelVotes(
                        row.getString(0), row.getString(1), row.getString(2), row.getLong(3)))
            .toList());
  }

  /** Who rated; an answer shown first is known of pairs only. */
  private static List<Rater> raters(Dataset<Row> kept) {
    Column test = col(ITEM).getField("expected");
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

  private RateSummary summary(
      Dataset<Row> items, Dataset<Row> kept, long all, RateForm form, Map<String, Number> figures) {
    List<Rater> raters = raters(kept);
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
        judged ? pairs(form, run.staged(Tables.JUDGEMENTS.name()), raters.size()) : List.of(),
        judged ? models(form, run.staged(Tables.JUDGEMENTS.name())) : List.of(),
        figures);
  }

  /** A line as a vote, or the rule by which it is none. */
  static final class ReadLines implements MapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    static final StructType SCHEMA =
        new StructType()
            .add("line", DataTypes.StringType)
            .add("file", DataTypes.StringType)
            .add("item_id", DataTypes.StringType)
            .add(RULE, DataTypes.StringType)
            .add(DETAIL, DataTypes.StringType);

    @Override
    public Row call(Row row) {
      String line = row.getString(0);
      try {
        return RowFactory.create(line, row.getString(1), Vote.read(line).id(), null, null);
      } catch (Vote.RefusedException e) {
        return RowFactory.create(line, row.getString(1), null, e.rule(), e.detail());
      }
    }
  }

  /** A vote beside its item, or the rule by which the item does not take it. */
  static final class CheckVotes implements MapFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    static final StructType SCHEMA =
        new StructType()
            .add("line", DataTypes.StringType)
            .add("file", DataTypes.StringType)
            .add("vote", DataTypes.StringType)
            .add("judge", DataTypes.StringType)
            .add("millis", DataTypes.LongType)
            .add("seconds", DataTypes.DoubleType)
            .add("decision", DataTypes.StringType)
            .add("verdict", DataTypes.StringType)
            .add("shown_first", DataTypes.StringType)
            .add(ITEM, Tables.RATING_ITEMS.schema())
            .add(RULE, DataTypes.StringType)
            .add(DETAIL, DataTypes.StringType);

    @Override
    public Row call(Row row) {
      String line = row.getAs("line");
      if (row.getAs(RULE) != null) {
        return refused(row, row.getAs(RULE), row.getAs(DETAIL));
      }
      Row item = row.getAs(ITEM);
      if (item == null) {
        return refused(
            row,
            "unknown_item",
            "No item of --input is called '" + row.getAs("item_id") + "': another page's?");
      }
      try {
        Vote vote = Vote.read(line);
        vote.check(RatingItem.of(item));
        return RowFactory.create(
            line,
            row.getAs("file"),
            vote.id(),
            vote.judge(),
            vote.millis(),
            vote.seconds(),
            vote.decision(),
            vote.member(Vote.VERDICT),
            vote.member(Vote.SHOWN_FIRST),
            item,
            null,
            null);
      } catch (Vote.RefusedException e) {
        return refused(row, e.rule(), e.detail());
      }
    }

    private static Row refused(Row row, String rule, String detail) {
      return RowFactory.create(
          row.getAs("line"),
          row.getAs("file"),
          row.getAs("item_id"),
          null,
          null,
          null,
          null,
          null,
          null,
          null,
          rule,
          detail);
    }
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
