package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count_distinct;
import static org.apache.spark.sql.functions.count_if;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.AnswerRows;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.SameIds;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.UserDefinedFunction;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * The answers of both inputs, joined by id; of one input where answers are graded. Rows that failed
 * hold no answer. Which partition a row is in and where it stands changes nothing.
 */
final class AnswerSets implements AutoCloseable {
  static final String ONLY_IN_INPUT = "only_in_input";
  static final String ONLY_IN_AGAINST = "only_in_against";
  static final String NO_ANSWER = "no_answer";
  static final String CALLS_TOOLS = "calls_tools";
  private static final String NO_PROMPT = "no_prompt";

  /** Ids that a summary names. */
  private static final int NAMED = 20;

  private static final Column HAS_A = col("answer_a").isNotNull();
  private static final Column HAS_B = col("answer_b").isNotNull();
  private static final Column CALLS = col("calls_a").or(coalesce(col("calls_b"), lit(false)));

  /** The same question may be written as a text and as a dialogue of one turn. */
  static final UserDefinedFunction READABLE =
      udf(
          (UDF1<@Nullable String, @Nullable String>)
              prompt -> prompt == null ? null : JudgePrompt.readable(prompt),
          DataTypes.StringType);

  private final Dataset<Row> sides;
  private final Dataset<Row> joined;
  private final boolean compares;

  private AnswerSets(Dataset<Row> sides, boolean compares) {
    this.sides = sides.persist(StorageLevel.MEMORY_AND_DISK());
    this.compares = compares;
    Dataset<Row> b = side("b");
    this.joined =
        side("a")
            .join(b, new String[] {"id"}, "full_outer")
            .persist(StorageLevel.MEMORY_AND_DISK());
  }

  /**
   * Reads the inputs.
   *
   * @throws JobException where one has no answers, or an id stands for different ones in it
   */
  static AnswerSets read(JobRun run, JudgeOptions options) {
    Dataset<Row> a = read(run, "--input", options.input()).withColumn("side", lit("a"));
    Dataset<Row> both =
        options.form().compares()
            ? a.unionByName(read(run, "--against", options.against()).withColumn("side", lit("b")))
            : a;
    return new AnswerSets(both, options.form().compares());
  }

  /** One input's rows, numbered from 1 among those of an id: an answer first. */
  private static Dataset<Row> read(JobRun run, String option, List<String> refs) {
    Dataset<Row> read = AnswerRows.read(run, refs).drop("instruction", "input");
    Dataset<Row> answers = read.where(col("answer").isNotNull());
    if (answers.isEmpty()) {
      throw JobException.invalid(
          "Option "
              + option
              + ": no row of "
              + refs
              + " has an answer: a column text, output or answer, with the status ok where there is"
              + " one");
    }
    SameIds.refuse(
        answers,
        to_json(struct("prompt", "answer", "model")),
        col("file"),
        "answers",
        "give --input and --against one answer for each id, as complete --samples 1 does");
    var order =
        Window.partitionBy("id")
            .orderBy(
                col("answer").isNull(),
                to_json(struct("prompt", "answer", "calls", "model", "source", "license")));
    return read.drop("file").withColumn("rank", row_number().over(order));
  }

  /** One input's rows under names of their own, an id once. */
  private Dataset<Row> side(String name) {
    return sides
        .where(col("side").equalTo(name).and(col("rank").equalTo(1)))
        .select(
            col("id"),
            col("prompt").as("prompt_" + name),
            col("answer").as("answer_" + name),
            col("calls").as("calls_" + name),
            col("model").as("model_" + name),
            col("source").as("source_" + name),
            col("license").as("license_" + name));
  }

  /** What is judged, in the columns that {@link JudgedItem} reads. */
  Dataset<Row> judged() {
    return joined
        .where(rule().isNull())
        .select(
            col("id"),
            prompt().as("prompt"),
            col("model_a"),
            col("answer_a"),
            col("model_b"),
            col("answer_b"),
            both("source", UsePolicy.JOINED).as("source"),
            both("license", " AND ").as("license"));
  }

  /** Ids that nothing is judged of, each with its {@link #rule} and {@link #detail}. */
  Dataset<Row> others() {
    return joined.where(rule().isNotNull());
  }

  private static Column prompt() {
    return coalesce(col("prompt_a"), col("prompt_b"));
  }

  private static Column both(String column, String between) {
    Column a = col(column + "_a");
    Column b = col(column + "_b");
    return when(b.isNull().or(a.equalTo(b)), a).otherwise(concat(a, lit(between), b));
  }

  /** The rule by which an id is not judged, or null. */
  Column rule() {
    Column unfit = when(prompt().isNull(), lit(NO_PROMPT)).when(CALLS, lit(CALLS_TOOLS));
    return compares
        ? when(HAS_A.and(HAS_B), unfit)
            .when(HAS_A, lit(ONLY_IN_INPUT))
            .when(HAS_B, lit(ONLY_IN_AGAINST))
            .otherwise(lit(NO_ANSWER))
        : when(HAS_A, unfit).otherwise(lit(NO_ANSWER));
  }

  /** What the rule found. */
  Column detail() {
    return when(
            rule().equalTo(CALLS_TOOLS),
            lit("An answer calls tools; the judge is shown the words of answers only"))
        .when(HAS_A.and(HAS_B), lit("Neither row has a prompt or an instruction"))
        .when(HAS_A.and(col("model_b").isNotNull()), lit("The row of --against holds no answer"))
        .when(HAS_B.and(col("model_a").isNotNull()), lit("The row of --input holds no answer"))
        .when(HAS_A, lit(compares ? "--against has no such id" : "The row has no prompt"))
        .when(HAS_B, lit("--input has no such id"))
        .otherwise(lit("No row of this id holds an answer"));
  }

  /** Further rows of an id, in the columns of {@link Tables#DUPLICATES}. */
  Dataset<Row> duplicates() {
    return sides
        .where(col("rank").gt(1))
        .select(
            col("id"),
            col("id").as("kept_id"),
            when(col("answer").isNull(), lit(0.0)).otherwise(lit(1.0)).as("score"),
            when(col("answer").isNull(), lit(NO_ANSWER)).otherwise(lit("equal_row")).as("rule"));
  }

  /**
   * How the inputs fit together.
   *
   * @param ids different ids of all inputs
   * @param further rows of an id beyond its first
   * @param judged those that can be judged: with a prompt and all answers, none of which calls
   *     tools
   * @param promptsDiffer judged ones whose two rows were asked different things
   * @param onlyInInput ids that only --input has an answer of
   * @param onlyInAgainst ids that only --against has an answer of
   * @param inputIds the first of them
   * @param againstIds the first of them
   */
  record Match(
      long ids,
      long further,
      long judged,
      long promptsDiffer,
      long onlyInInput,
      long onlyInAgainst,
      List<String> inputIds,
      List<String> againstIds) {
    Match {
      inputIds = List.copyOf(inputIds);
      againstIds = List.copyOf(againstIds);
    }

    double share() {
      return ids == 0 ? 0 : (double) judged / ids;
    }
  }

  /** How the inputs fit together, in one pass but for the names. */
  Match match() {
    Column onlyA = col("rule").equalTo(ONLY_IN_INPUT);
    Column onlyB = col("rule").equalTo(ONLY_IN_AGAINST);
    Column judged = col("rule").isNull();
    Column differ = READABLE.apply(col("prompt_a")).notEqual(READABLE.apply(col("prompt_b")));
    Row counts =
        joined
            .withColumn("rule", rule())
            .agg(count_if(judged), count_if(judged.and(differ)), count_if(onlyA), count_if(onlyB))
            .head();
    Row rows = sides.agg(count_distinct(col("id")), count_if(col("rank").gt(1))).head();
    return new Match(
        rows.getLong(0),
        rows.getLong(1),
        counts.getLong(0),
        counts.getLong(1),
        counts.getLong(2),
        counts.getLong(3),
        counts.getLong(2) == 0 ? List.of() : first(onlyA),
        counts.getLong(3) == 0 ? List.of() : first(onlyB));
  }

  /** Ids that nothing is judged of, by rule. */
  Map<String, Long> whyNot() {
    var counts = new TreeMap<String, Long>();
    for (Row row :
        joined.groupBy(rule().as("rule")).count().where("rule IS NOT NULL").collectAsList()) {
      counts.put(row.getString(0), row.getLong(1));
    }
    return counts;
  }

  private List<String> first(Column which) {
    return joined
        .withColumn("rule", rule())
        .where(which)
        .select("id")
        .sort("id")
        .limit(NAMED)
        .as(Encoders.STRING())
        .collectAsList();
  }

  /** The models whose answers are compared, a pair of a and b each. */
  List<JudgeSummary.Models> models() {
    return judged()
        .select("model_a", "model_b")
        .distinct()
        .sort("model_a", "model_b")
        .limit(NAMED)
        .collectAsList()
        .stream()
        .map(row -> new JudgeSummary.Models(row.getAs("model_a"), row.getAs("model_b")))
        .toList();
  }

  @Override
  public void close() {
    joined.unpersist();
    sides.unpersist();
  }
}
