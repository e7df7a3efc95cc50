package dev.distillery.training.rollout;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.xxhash64;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.ModelCard;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The rows of a run's inputs as prompts, in an order that no partition changes. */
public final class PromptInputs {
  private static final List<Table> TABLES =
      List.of(Tables.CONVERSATIONS, Tables.PREFERENCES, Tables.INSTRUCTIONS, Tables.DOCUMENTS);

  /** Columns by which files of one's own are told. */
  private static final Map<String, Table> TELLING = new LinkedHashMap<>();

  static {
    TELLING.put("messages", Tables.CONVERSATIONS);
    TELLING.put("chosen", Tables.PREFERENCES);
    TELLING.put("instruction", Tables.INSTRUCTIONS);
    TELLING.put("text", Tables.DOCUMENTS);
  }

  private final JobRun run;
  private final String model;
  private final Dataset<Row> encoded;
  private final boolean dialogues;
  private final List<Dataset<Row>> rows;

  private PromptInputs(
      JobRun run, String model, Dataset<Row> encoded, boolean dialogues, List<Dataset<Row>> rows) {
    this.run = run;
    this.model = model;
    this.encoded = encoded;
    this.dialogues = dialogues;
    this.rows = rows;
  }

  /**
   * What the inputs come to.
   *
   * @param read rows
   * @param kept prompts
   * @param tokens of all prompts
   * @param longest tokens of the longest
   * @param key another for other prompts
   * @param rejects rows that are none, by rule
   */
  public record Sums(
      long read, long kept, long tokens, int longest, String key, Map<String, Long> rejects) {
    public Sums {
      rejects = Map.copyOf(rejects);
    }
  }

  /**
   * Reads inputs.
   *
   * @param refs as users write them
   * @param model by the driver's path, on the executors already
   * @param template chat template; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue
   * @param most tokens of a prompt
   */
  public static PromptInputs read(
      JobRun run,
      List<String> refs,
      String model,
      String template,
      TemplateInputs inputs,
      int most) {
    return read(run, refs, model, template, inputs, most, run::inputs);
  }

  /** As {@link #read}, of prompts that the job does not account for: it evaluates on them, say. */
  public static PromptInputs readBeside(
      JobRun run,
      List<String> refs,
      String model,
      String template,
      TemplateInputs inputs,
      int most) {
    return read(run, refs, model, template, inputs, most, run::sideInputs);
  }

  private static PromptInputs read(
      JobRun run,
      List<String> refs,
      String model,
      String template,
      TemplateInputs inputs,
      int most,
      BiFunction<List<String>, Table, Dataset<Row>> reading) {
    List<Dataset<Row>> encoded = new ArrayList<>();
    List<Dataset<Row>> rows = new ArrayList<>();
    boolean dialogues = false;
    for (String ref : refs) {
      Table table = table(run, ref);
      Dataset<Row> own = reading.apply(List.of(ref), table);
      rows.add(own);
      dialogues |= !table.equals(Tables.DOCUMENTS);
      encoded.add(
          own.mapPartitions(
              new EncodePrompts(table.name(), model, template, inputs, most),
              Encoders.row(EncodePrompts.SCHEMA)));
    }
    return new PromptInputs(
        run, model, encoded.stream().reduce(Dataset::union).orElseThrow(), dialogues, rows);
  }

  private static Table table(JobRun run, String ref) {
    List<String> names = TABLES.stream().map(Table::name).toList();
    if (TableRef.parse(ref) instanceof TableRef.Named named) {
      return Tables.byName(named.table())
          .filter(TABLES::contains)
          .orElseThrow(
              () ->
                  JobException.invalid(
                      "Option --input: %s is none of %s, which hold prompts"
                          .formatted(ref, String.join(", ", names))));
    }
    List<String> columns = run.columns(ref);
    return TELLING.entrySet().stream()
        .filter(entry -> columns.contains(entry.getKey()))
        .map(Map.Entry::getValue)
        .findFirst()
        .orElseThrow(
            () ->
                JobException.invalid(
                    "Option --input: the rows of %s have the columns %s and are none of %s"
                        .formatted(ref, columns, String.join(", ", names))));
  }

  /** Whether some are dialogues, which need a chat template. */
  public boolean hasDialogues() {
    return dialogues;
  }

  /** The sources of all rows with their licenses. */
  public List<ModelCard.Source> sources() {
    return ModelCard.sources(rows);
  }

  /** Counts, without writing anything. */
  public Sums sums() {
    Map<String, Long> rejects = new TreeMap<>();
    for (Row row : encoded.where(col("rule").isNotNull()).groupBy("rule").count().collectAsList()) {
      rejects.put(row.getString(0), row.getLong(1));
    }
    Row total =
        kept()
            .agg(
                count(lit(1)),
                coalesce(sum(size(col("ids"))), lit(0L)),
                coalesce(max(size(col("ids"))), lit(1)),
                // A sum of hashes does not depend on the order, and wraps around.
                coalesce(
                    sum(xxhash64(col("id"), col("ids"), col("row")).bitwiseAND(0xFFFFFFFFL)),
                    lit(0L)))
            .first();
    long kept = total.getLong(0);
    long rejected = rejects.values().stream().mapToLong(Long::longValue).sum();
    return new Sums(
        kept + rejected,
        kept,
        total.getLong(1),
        total.getInt(2),
        kept + "-" + Long.toHexString(total.getLong(3)),
        rejects);
  }

  private Dataset<Row> kept() {
    return encoded.where(col("rule").isNull());
  }

  /**
   * Writes the prompts, each at its position, ordered by id and row, and gives them by position.
   *
   * @param folder that takes them, in place of what an earlier try left
   * @param sums as {@link #sums} gave them
   * @throws JobException where there is none
   */
  public PromptTable write(String folder, Sums sums) {
    if (sums.kept() == 0) {
      throw JobException.invalid(
          "No row is a prompt that %s can answer; rejected: %s".formatted(model, sums.rejects()));
    }
    List<String> columns = List.of("id", "ids", "text", "turns", "reference", "row");
    JavaRDD<Row> numbered =
        kept()
            .sort("id", "row")
            .selectExpr(columns.toArray(String[]::new))
            .toJavaRDD()
            .zipWithIndex()
            .map(
                pair -> {
                  Row row = pair._1();
                  return RowFactory.create(
                      pair._2(),
                      row.get(0),
                      row.get(1),
                      row.get(2),
                      row.get(3),
                      row.get(4),
                      row.get(5));
                });
    StructType schema = new StructType().add("position", DataTypes.LongType);
    for (String column : columns) {
      schema = schema.add(EncodePrompts.SCHEMA.apply(column));
    }
    run.spark().createDataFrame(numbered, schema).write().mode("overwrite").parquet(folder);
    return new PromptTable(run.spark(), folder, sums);
  }

  /** The rows that are no prompts, in the columns of {@code JobRun.reject}; empty of none. */
  public Optional<Dataset<Row>> rejects(Sums sums) {
    return sums.rejects().isEmpty()
        ? Optional.empty()
        : Optional.of(encoded.where(col("rule").isNotNull()).select("id", "rule", "detail", "row"));
  }
}
