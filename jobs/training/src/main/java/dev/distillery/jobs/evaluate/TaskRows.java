package dev.distillery.jobs.evaluate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.regexp_extract;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Nearest;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.Example;
import dev.distillery.training.evaluate.ItemGenerator;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** The rows of a task as (task, id, row), the row as JSON; and the pool of its shots. */
final class TaskRows {
  static final StructType SCHEMA =
      new StructType()
          .add("task", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("row", DataTypes.StringType);

  private static final Table ITEMS =
      new Table(
          "items",
          "Rows of an evaluation task, with columns of their own.",
          new StructType().add("id", DataTypes.StringType, false, "Stable hash of the row"));

  /** An id that ends as those of equal ids do. */
  private static final String NUMBERED = "(?s)^(.*)#([1-9]\\d{0,17})$";

  private static final int LIMIT_SITE = 1;
  private static final int POOL_SITE = 2;

  private final JobRun run;
  private final EvaluateOptions options;

  TaskRows(JobRun run, EvaluateOptions options) {
    this.run = run;
    this.options = options;
  }

  /** The items of a task. */
  Dataset<Row> items(PlannedTask planned) {
    EvalTask task = planned.task();
    if (planned.input().isEmpty()) {
      var generated = (EvalTask.Input.Generated) task.input();
      long items =
          options.limit().isPresent()
              ? Math.min(options.limit().get(), generated.items())
              : generated.items();
      return generated(task, generated.generator(), 0, items);
    }
    Dataset<Row> rows = read(planned.task(), planned.input().get(), true);
    if (options.limit().isPresent()) {
      rows = sample(rows, LIMIT_SITE, options.limit().get());
    }
    return numbered(rows);
  }

  /** Rows of one id are numbered, behind the numbers that other ids have already. */
  private static Dataset<Row> numbered(Dataset<Row> rows) {
    Dataset<Row> taken =
        rows.where(col("id").rlike(NUMBERED))
            .select(
                regexp_extract(col("id"), NUMBERED, 1).as("of"),
                regexp_extract(col("id"), NUMBERED, 2).as("given"))
            // The optimiser may cast before it asks which rows there are.
            .selectExpr("of", "try_cast(given AS BIGINT) AS given")
            .groupBy("of")
            .agg(max("given").as("given"));
    var same = Window.partitionBy("id").orderBy("row");
    Column behind = coalesce(col("given"), lit(1)).plus(col("number")).minus(1);
    return rows.withColumn("number", row_number().over(same))
        .join(taken, col("id").equalTo(col("of")), "left")
        .select(
            col("task"),
            when(col("number").equalTo(1), col("id"))
                .otherwise(concat(col("id"), lit("#"), behind))
                .as("id"),
            col("row"));
  }

  /**
   * The pool of a task's shots: a sample by the seed, or the first rows.
   *
   * @throws JobException where there are too few
   */
  List<Example> examples(PlannedTask planned) {
    if (planned.shots() == 0 || planned.task().isDocument()) {
      return List.of();
    }
    EvalTask task = planned.task();
    Optional<String> ref = planned.examples().or(planned::input);
    Dataset<Row> rows;
    if (ref.isPresent()) {
      Dataset<Row> all = read(task, ref.get(), false);
      rows =
          task.shots() == EvalTask.ShotChoice.FIRST
              ? all.limit(Example.MOST)
              : sample(all, POOL_SITE, Example.MOST);
    } else {
      var generated = (EvalTask.Input.Generated) task.input();
      ItemGenerator generator = generated.generator();
      boolean endless = generator.isEndless();
      rows =
          generated(
              task,
              generator,
              endless ? generated.items() : 0,
              endless ? Example.MOST : Math.min(Example.MOST, generator.items()));
    }
    return rows.collectAsList().stream()
        .map(row -> new Example(row.getString(1), row.getString(2)))
        .toList();
  }

  private Dataset<Row> sample(Dataset<Row> rows, int site, int most) {
    long seed = options.run().randomSeed();
    return rows.orderBy(xxhash64(lit(seed), lit(site), col("id"), col("row")), col("row"))
        .limit(most);
  }

  /** Rows of one's own; the id of one without is a hash of it. */
  private Dataset<Row> read(EvalTask task, String ref, boolean checked) {
    Dataset<Row> rows = run.inputs(List.of(ref), ITEMS);
    List<String> columns = Arrays.asList(rows.columns());
    var missing = new TreeSet<>(task.columns());
    columns.forEach(missing::remove);
    if (checked && !missing.isEmpty() && !rows.isEmpty()) {
      String first = missing.first();
      throw JobException.invalid(
          "Task '%s': %s has no column %s, which its texts name; it has %s%s"
              .formatted(
                  task.name(),
                  ref,
                  String.join(", ", missing),
                  String.join(", ", columns),
                  Nearest.hint(first, columns)));
    }
    Column[] all = columns.stream().map(Columns::named).toArray(Column[]::new);
    return rows.select(lit(task.name()).as("task"), col("id"), to_json(struct(all)).as("row"));
  }

  private Dataset<Row> generated(EvalTask task, ItemGenerator generator, long from, long items) {
    return run.spark()
        .range(from, from + items)
        .map(new Made(task.name(), generator, options.run().randomSeed()), Encoders.row(SCHEMA));
  }

  /** Rows by their number. */
  private record Made(String task, ItemGenerator generator, long seed)
      implements MapFunction<Long, Row> {
    private static final long serialVersionUID = 1L;

    @Override
    public Row call(Long index) {
      ObjectNode row = generator.row(seed, index);
      return RowFactory.create(task, Long.toString(index), row.toString());
    }
  }
}
