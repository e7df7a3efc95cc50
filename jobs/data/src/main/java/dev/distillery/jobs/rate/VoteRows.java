package dev.distillery.jobs.rate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.trim;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.PathNames;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.List;
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

/**
 * The lines that raters send back as rows: each a vote on its item, or the rule by which it is
 * none; and of a rater's votes on an item which one counts.
 */
final class VoteRows {
  static final String RULE = "rule";
  static final String DETAIL = "detail";
  static final String ITEM = "item";

  private VoteRows() {}

  /** The votes of files with their items, in the columns of {@link CheckVotes}, and their rank. */
  static Dataset<Row> read(JobRun run, List<String> paths, Dataset<Row> items) {
    return ranked(checked(run, paths, items));
  }

  /** The lines of the files with what they vote on: vote, judge, item, millis, decision, rule. */
  private static Dataset<Row> checked(JobRun run, List<String> paths, Dataset<Row> items) {
    List<String> files = new ArrayList<>();
    for (String path : paths) {
      run.files(path).files().stream()
          .map(file -> file.getPath().toString())
          .filter(file -> !file.endsWith(RaterTokens.LINKS))
          .forEach(files::add);
    }
    if (files.isEmpty()) {
      throw JobException.invalid(
          "Option --collect: expected files of votes, found none in " + paths);
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

  /** Votes that do not count, as another of the same rater on the item does. */
  static Dataset<Row> duplicates(Dataset<Row> votes) {
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
}
