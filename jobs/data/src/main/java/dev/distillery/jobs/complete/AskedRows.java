package dev.distillery.jobs.complete;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.input_file_name;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.spark.warehouse.SameIds;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * The rows of the input, each once: equal ones are one, and which partition they are in changes
 * nothing. An id stands for one question: completions are joined to rows by it.
 */
final class AskedRows implements AutoCloseable {
  /** The rule of a row that equals another. */
  static final String EQUAL_ROW = "equal_row";

  /** What a row of the input may have; at least one of prompt, messages and instruction. */
  static final Table PROMPTS =
      new Table(
          "prompts",
          "One prompt, dialogue or instruction to be answered.",
          new StructType()
              .add("id", DataTypes.StringType, false, "Stable hash of the row")
              .add("prompt", DataTypes.StringType, true, "Text to answer or continue")
              .add("messages", MessageRows.TYPE, true, "Dialogue to answer")
              .add("instruction", DataTypes.StringType, true, "Task to do")
              .add("input", DataTypes.StringType, true, "What the task is about")
              .add(Tables.TOOLS, DataTypes.StringType, true, "Tools that it may call, a JSON array")
              .add("source", DataTypes.StringType, true, "Name of the source")
              .add("license", DataTypes.StringType, true, "SPDX expression, or NOASSERTION"));

  /** What makes two rows the same question: all but where they come from. */
  private static final Column[] QUESTION =
      Stream.of("id", "prompt", "messages", "instruction", "input", Tables.TOOLS)
          .map(functions::col)
          .toArray(Column[]::new);

  private static final Column ASKED =
      to_json(struct("prompt", "messages", "instruction", "input", Tables.TOOLS));

  private static final Column HAS_NOTHING =
      coalesce(col("prompt"), col("instruction"))
          .isNull()
          .and(coalesce(size(col("messages")), lit(0)).leq(0));

  private static final String FILE = "_file";
  private static final String RANK = "_rank";
  private static final String ROW = "_row";

  /**
   * The input's rows, numbered from 1 among those that are the same question. Held, since they are
   * asked about, joined, rejected and counted.
   */
  private final Dataset<Row> ranked;

  private final CompleteOptions options;

  private AskedRows(Dataset<Row> ranked, CompleteOptions options) {
    this.ranked = ranked.persist(StorageLevel.MEMORY_AND_DISK());
    this.options = options;
  }

  /**
   * Reads the input.
   *
   * @throws JobException where no row can be asked about, or an id stands for different questions
   *     and the options do not say that these are asked apart
   */
  static AskedRows read(JobRun run, CompleteOptions options) {
    if (options.prompt().isPresent()) {
      String prompt = options.prompt().get();
      Row row =
          RowFactory.create(
              StableIds.of(prompt), prompt, null, null, null, null, "prompt", Licenses.NOASSERTION);
      return new AskedRows(
          run.spark().createDataFrame(List.of(row), PROMPTS.schema()).withColumn(RANK, lit(1)),
          options);
    }
    Dataset<Row> read = columns(run, options).withColumn(FILE, input_file_name());
    if (!read.isEmpty() && read.where(not(HAS_NOTHING)).isEmpty()) {
      throw JobException.invalid(
          "No row of " + options.input() + " has a prompt, messages or an instruction");
    }
    if (options.sameId() == CompleteOptions.SameId.REFUSE) {
      SameIds.refuse(
          read,
          ASKED,
          col(FILE),
          "questions",
          "give each row an id of its own, leave the column out, or give --same-id apart");
    } else {
      read = apart(read);
    }
    var order = Window.partitionBy(QUESTION).orderBy(to_json(struct(carried(options))));
    return new AskedRows(read.drop(FILE).withColumn(RANK, row_number().over(order)), options);
  }

  /** The columns that are asked, and those that are kept. */
  private static Dataset<Row> columns(JobRun run, CompleteOptions options) {
    Dataset<Row> read = run.inputs(options.input(), PROMPTS);
    List<String> present = List.of(read.columns());
    List<String> missing =
        options.keepColumns().stream().filter(name -> !present.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw JobException.invalid(
          "Option --keep-columns: no column "
              + missing
              + " in "
              + options.input()
              + "; its columns are "
              + present);
    }
    return read.withColumn(Tables.TOOLS, definedTools())
        .select(
            Stream.concat(
                    Arrays.stream(PROMPTS.schema().fieldNames()), options.keepColumns().stream())
                .distinct()
                .map(Columns::named)
                .toArray(Column[]::new));
  }

  /** What a completion carries of the row asked about, besides its id. */
  private static Column[] carried(CompleteOptions options) {
    return Stream.concat(Stream.of("source", "license"), options.keepColumns().stream())
        .distinct()
        .map(Columns::named)
        .toArray(Column[]::new);
  }

  /** Where an id stands for several questions, a hash of the question follows it. */
  private static Dataset<Row> apart(Dataset<Row> read) {
    Dataset<Row> several =
        read.groupBy("id")
            .agg(min(ASKED).as("least"), max(ASKED).as("most"))
            .where(col("least").notEqual(col("most")))
            .select("id")
            .withColumn("several", lit(true));
    return read.join(several, new String[] {"id"}, "left")
        .withColumn(
            "id",
            when(col("several"), concat(col("id"), lit("#"), sha2(ASKED, 256).substr(1, 16)))
                .otherwise(col("id")))
        .drop("several");
  }

  /** Those that the teacher is asked about. */
  Dataset<Row> toAsk() {
    return once().where(rule().isNull());
  }

  /** Those that it is not asked about, each with its {@link #rule} and {@link #detail}. */
  Dataset<Row> toReject() {
    return once().where(rule().isNotNull());
  }

  /** The rule that rejects a row, or null. */
  Column rule() {
    return when(HAS_NOTHING, lit("nothing_to_ask"))
        .when(not(readableTools()), lit("invalid_tools"))
        .when(
            col(Tables.TOOLS).isNotNull().and(lit(objection().isPresent())),
            lit("unsupported_tools"));
  }

  /** What the rule found. */
  Column detail() {
    return when(HAS_NOTHING, lit("The row has no prompt, no messages and no instruction"))
        .when(not(readableTools()), lit("The column tools is no JSON array of functions"))
        .otherwise(lit("The row has tools, and " + objection().orElse("they could be asked with")));
  }

  private Optional<String> objection() {
    return ToolDefinitions.objection(options.teacher(), options.extraBody());
  }

  /** The column of tools, where it defines some: a row without them is the same without it. */
  private static Column definedTools() {
    UDF1<@Nullable String, Boolean> none = ToolDefinitions::none;
    return when(not(udf(none, DataTypes.BooleanType).apply(col(Tables.TOOLS))), col(Tables.TOOLS));
  }

  private static Column readableTools() {
    UDF1<@Nullable String, Boolean> readable =
        tools -> tools == null || ToolDefinitions.of(tools).isPresent();
    return udf(readable, DataTypes.BooleanType).apply(col(Tables.TOOLS));
  }

  private Dataset<Row> once() {
    return ranked.where(col(RANK).equalTo(1)).drop(RANK);
  }

  /** Rows that equal another, in the columns of {@link Tables#DUPLICATES}. */
  Dataset<Row> duplicates() {
    return ranked
        .where(col(RANK).gt(1))
        .select(
            col("id"), col("id").as("kept_id"), lit(1.0).as("score"), lit(EQUAL_ROW).as("rule"));
  }

  /** Completions with what they carry of the rows asked about. */
  Dataset<Row> answered(Dataset<Row> completions) {
    Dataset<Row> rows = toAsk().select(col("id"), struct(carried(options)).as(ROW));
    return completions
        .drop("source", "license")
        .join(rows, new String[] {"id"}, "left")
        .select(col("*"), col(ROW + ".*"))
        .drop(ROW);
  }

  @Override
  public void close() {
    ranked.unpersist();
  }
}
