package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.lower;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.rating.Agreement;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.AnswerRows;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Table;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * What people said of the same answers, and how far the judge agrees with them. Rows have the
 * columns of the table judgements, MT-bench's (question_id, model_a, model_b, winner, turn) or
 * AlpacaEval's (instruction, output_1, output_2, preference).
 */
final class HumanVotes {
  private static final List<String> VERDICTS = List.of(Judgement.A, Judgement.B, Judgement.TIE);

  private static final Table VOTES =
      new Table(
          "votes",
          "What a person said of two answers to a prompt.",
          new StructType()
              .add("verdict", DataTypes.StringType, true, "a, b, tie or both_bad")
              .add("winner", DataTypes.StringType, true, "model_a, model_b or tie: MT-bench's")
              .add("preference", DataTypes.DoubleType, true, "1, 2, or 0 or 1.5: AlpacaEval's")
              .add("criterion", DataTypes.StringType, true, "What was judged by")
              .add("turn", DataTypes.LongType, true, "Of a dialogue, from 1: MT-bench's")
              .add("instruction", DataTypes.StringType, true, "What was asked: AlpacaEval's")
              .add("input", DataTypes.StringType, true, "What it was asked about")
              .add("model_a", DataTypes.StringType, true, "Who gave answer a")
              .add("model_b", DataTypes.StringType, true, "Who gave answer b")
              .add("answer_a", DataTypes.StringType, true, "Answer a")
              .add("answer_b", DataTypes.StringType, true, "Answer b")
              .add("generator_1", DataTypes.StringType, true, "Who gave output_1")
              .add("generator_2", DataTypes.StringType, true, "Who gave output_2")
              .add("output_1", DataTypes.StringType, true, "Answer a: AlpacaEval's")
              .add("output_2", DataTypes.StringType, true, "Answer b: AlpacaEval's"));

  private final Dataset<Row> votes;

  private HumanVotes(Dataset<Row> votes) {
    this.votes = votes;
  }

  /**
   * Reads what people said.
   *
   * @param refs tables or files, at least one
   * @throws JobException where a verdict is none, or there is no vote
   */
  static HumanVotes read(JobRun run, List<String> refs) {
    Dataset<Row> rows = run.sideInputs(refs, VOTES);
    List<String> columns = Arrays.asList(rows.columns());
    Column id = lit(null).cast(DataTypes.StringType);
    for (String name : List.of("question_id", "id")) {
      id = columns.contains(name) ? coalesce(col(name).cast(DataTypes.StringType), id) : id;
    }
    Column said =
        lower(
            coalesce(col("verdict"), col("winner"), col("preference").cast(DataTypes.StringType)));
    Dataset<Row> votes =
        rows.select(
            when(id.isNotNull(), concat(lit("id:"), id))
                .otherwise(concat(lit("prompt:"), AnswerRows.instruction()))
                .as("key"),
            coalesce(col("criterion"), lit("")).as("criterion"),
            coalesce(col("turn"), lit(1L)).as("turn"),
            coalesce(col("model_a"), col("generator_1")).as("human_model_a"),
            coalesce(col("model_b"), col("generator_2")).as("human_model_b"),
            coalesce(col("answer_a"), col("output_1")).as("human_answer_a"),
            coalesce(col("answer_b"), col("output_2")).as("human_answer_b"),
            said.as("said"),
            when(said.isin(Judgement.A, "model_a", "1.0"), lit(Judgement.A))
                .when(said.isin(Judgement.B, "model_b", "2.0"), lit(Judgement.B))
                .when(
                    said.startsWith(Judgement.TIE).or(said.isin("both_bad", "0.0", "1.5")),
                    lit(Judgement.TIE))
                .as("human"),
            input_file_name().as("file"));
    for (Row row : votes.where("said IS NOT NULL AND human IS NULL").sort("file").takeAsList(1)) {
      throw JobException.invalid(
          "Option --human: "
              + row.<String>getAs("file")
              + ": '"
              + row.<String>getAs("said")
              + "' is no verdict; expected a, b, tie or both_bad, MT-bench's winner or AlpacaEval's"
              + " preference");
    }
    Dataset<Row> given = votes.where("human IS NOT NULL AND key IS NOT NULL");
    if (given.isEmpty()) {
      throw JobException.invalid(
          "Option --human: no row of "
              + refs
              + " has a verdict and what it is of: columns id and verdict, MT-bench's question_id"
              + " and winner, or AlpacaEval's instruction, output_1, output_2 and preference");
    }
    return new HumanVotes(given);
  }

  /**
   * How far people and judge agree; with criteria each name ends with a dot and the criterion. A
   * vote is of a pair where it has its id, or else its prompt, and the same two answers or models,
   * in either order.
   *
   * @param judged as {@link ReadReplies} gives it
   */
  Map<String, Number> figures(List<@Nullable String> criteria, Dataset<Row> judged) {
    Column swapped = isOf("b", "a", false);
    Dataset<Row> pairs =
        judged
            .where(col("verdict").isNotNull())
            .withColumn("criterion", coalesce(col("criterion"), lit("")))
            .withColumn(
                "key",
                explode(
                    array(
                        concat(lit("id:"), col("id")),
                        concat(lit("prompt:"), AnswerSets.READABLE.apply(col("prompt"))))))
            .join(votes.where("turn = 1"), new String[] {"key", "criterion"})
            .withColumn(
                "of",
                when(isOf("a", "b", true), col("human"))
                    .when(swapped.and(col("human").equalTo(Judgement.A)), lit(Judgement.B))
                    .when(swapped.and(col("human").equalTo(Judgement.B)), lit(Judgement.A))
                    .when(swapped, col("human")))
            .where(col("of").isNotNull());
    var tables = new TreeMap<String, long[][]>();
    for (Row row : pairs.groupBy("criterion", "verdict", "of").agg(count(lit(1))).collectAsList()) {
      tables
              .computeIfAbsent(row.getString(0), any -> new long[VERDICTS.size()][VERDICTS.size()])[
              VERDICTS.indexOf(row.getString(1))][VERDICTS.indexOf(row.getString(2))] =
          row.getLong(3);
    }
    var figures = new TreeMap<String, Number>();
    figures.put("human_votes_given", votes.count());
    for (String criterion : criteria) {
      long[][] table =
          tables.getOrDefault(
              Objects.requireNonNullElse(criterion, ""),
              new long[VERDICTS.size()][VERDICTS.size()]);
      figures(table)
          .forEach(
              (name, value) ->
                  figures.put(criterion == null ? name : name + "." + criterion, value));
    }
    return figures;
  }

  /** Whether a vote's answers, else its models, are the pair's; a vote without either says not. */
  private static Column isOf(String first, String second, boolean unsaid) {
    return when(
            col("human_answer_a").isNotNull().and(col("human_answer_b").isNotNull()),
            col("human_answer_a")
                .equalTo(col("answer_" + first))
                .and(col("human_answer_b").equalTo(col("answer_" + second))))
        .when(
            col("human_model_a").isNotNull().and(col("human_model_b").isNotNull()),
            col("human_model_a")
                .equalTo(col("model_" + first))
                .and(col("human_model_b").equalTo(col("model_" + second))))
        .otherwise(lit(unsaid));
  }

  /**
   * Figures of one criterion.
   *
   * @param table votes by [the judge's verdict, the person's], as {@link #VERDICTS} has them
   */
  static Map<String, Number> figures(long[][] table) {
    long all = Arrays.stream(table).flatMapToLong(Arrays::stream).sum();
    long sided = table[0][0] + table[0][1] + table[1][0] + table[1][1];
    var figures = new TreeMap<String, Number>();
    figures.put("human_votes", all);
    figures.put("human_votes_without_ties", sided);
    if (all > 0) {
      figures.put("human_agreement", (double) (table[0][0] + table[1][1] + table[2][2]) / all);
    }
    if (sided > 0) {
      figures.put("human_agreement_without_ties", (double) (table[0][0] + table[1][1]) / sided);
    }
    Agreement.cohenKappa(table).ifPresent(kappa -> figures.put("human_kappa", kappa));
    Agreement.cohenKappaInterval(table)
        .ifPresent(
            interval -> {
              figures.put("human_kappa_low", interval.low().orElseThrow());
              figures.put("human_kappa_high", interval.high().orElseThrow());
            });
    return figures;
  }
}
