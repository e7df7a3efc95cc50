package dev.distillery.jobs.curate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.not;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.filter.RowFilters;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.core.text.PersonalData;
import dev.distillery.core.text.Redactor;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.WeightedRef;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.StructType;
import org.apache.spark.storage.StorageLevel;

/**
 * What becomes of each row of the inputs, in this order: the license, the filters, evaluation
 * texts, duplicates of dialogues, splits, weights, caps. Every row is held, with what became of it,
 * until it is closed.
 */
final class Curation implements AutoCloseable {
  static final String LICENSE = "license";
  private static final String OBJECTION = "objection";

  private final Dataset<Row> judged;
  private final Dataset<Row> kept;
  private final Dataset<Row> taken;
  private final List<Dataset<Row>> held = new ArrayList<>();

  /** Held no longer than until the rows are judged. */
  private final List<Dataset<Row>> unmarked = new ArrayList<>();

  private final RowTexts columns;
  private final Mixture mixture;
  private final boolean dialogues;
  private final Map<String, Long> refused;
  private final long unchecked;

  /**
   * Judges the inputs' rows; most of the work is done when they are counted first.
   *
   * @param inputs of one table
   * @param look is shown the inputs' columns before anything is computed
   */
  Curation(
      JobRun run,
      CurateOptions options,
      Table table,
      List<WeightedRef> inputs,
      Consumer<StructType> look) {
    try {
      Dataset<Row> all = read(run, table, inputs);
      look.accept(all.drop(Mixture.INPUT).schema());
      var policy = new UsePolicy(options.run().use().orElse(Use.RESEARCH));
      UsePolicy.Verdict verdict = policy.judge(all);
      refused = verdict.reasons();
      Dataset<Row> unrefused = verdict.allowed().withColumn(OBJECTION, lit(null).cast("string"));
      all = refused.isEmpty() ? unrefused : unrefused.unionByName(verdict.refused());
      columns = new RowTexts(table);
      RowFilters filters =
          RowFilters.of(options.filter(), new FilterFiles(run.warehouse().hadoop()));
      Dataset<Row> passed = refuse(TextPass.over(all, columns, options, filters));
      boolean texts = !options.filter().isEmpty() || !options.redact().isEmpty();
      if (options.decontaminate().isEmpty()) {
        unchecked = 0;
      } else {
        var redactor = new Redactor(options.kinds());
        Contamination contamination =
            run.phase(
                "Read " + options.decontaminate(),
                () -> Contamination.of(run, options.decontaminate(), redactor));
        unchecked = contamination.unchecked();
        // Marking looks at the rows twice.
        passed = contamination.mark(texts ? unmarked(held(passed)) : passed, columns);
      }
      // What is only read is cheaper to read again than to hold.
      boolean looked = texts || !options.decontaminate().isEmpty();
      judged = looked ? held(passed) : passed;
      dialogues = options.as().isPresent();
      mixture = new Mixture(options.mix(), inputs, options.run().randomSeed());
      Dataset<Row> undropped = judged.where(col(TextPass.RULE).isNull());
      kept =
          dialogues
              ? held(PreferredAnswers.of(undropped))
              : mixture.looksTwice() && !looked ? held(undropped) : undropped;
      Dataset<Row> drawn = mixture.take(standing(mixture.split(kept)));
      taken = dialogues || mixture.draws() ? held(drawn) : drawn;
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  private static Dataset<Row> read(JobRun run, Table table, List<WeightedRef> inputs) {
    Dataset<Row> rows = null;
    for (int i = 0; i < inputs.size(); i++) {
      Dataset<Row> input =
          run.inputsOfAnyLicense(List.of(inputs.get(i).ref()), table)
              .withColumn(Mixture.INPUT, lit(i));
      rows = rows == null ? input : rows.unionByName(input, true);
    }
    return Objects.requireNonNull(rows);
  }

  private Dataset<Row> unmarked(Dataset<Row> rows) {
    unmarked.add(rows);
    return rows;
  }

  private Dataset<Row> held(Dataset<Row> rows) {
    Dataset<Row> kept = rows.persist(StorageLevel.DISK_ONLY());
    held.add(kept);
    return kept;
  }

  /** What the use forbids is dropped for that, whatever filters say. */
  private static Dataset<Row> refuse(Dataset<Row> passed) {
    Column refused = col(OBJECTION).isNotNull();
    return passed
        .withColumn(TextPass.DETAIL, when(refused, col(OBJECTION)).otherwise(col(TextPass.DETAIL)))
        .withColumn(TextPass.RULE, when(refused, lit(LICENSE)).otherwise(col(TextPass.RULE)))
        .drop(OBJECTION);
  }

  private Dataset<Row> standing(Dataset<Row> rows) {
    return dialogues ? rows.where(PreferredAnswers.stands()) : rows;
  }

  /**
   * Where the rows went.
   *
   * @param in rows of each input
   * @param dropped rows by rule
   */
  record Counts(Map<Integer, Long> in, Map<String, Long> dropped) {
    long rows() {
      return in.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** Counts the inputs' rows, and those that were dropped. */
  Counts counts() {
    Map<Integer, Long> in = new TreeMap<>();
    Map<String, Long> dropped = new TreeMap<>();
    for (Row row : judged.groupBy(Mixture.INPUT, TextPass.RULE).count().collectAsList()) {
      in.merge(row.getInt(0), row.getLong(2), Long::sum);
      if (!row.isNullAt(1)) {
        dropped.merge(row.getString(1), row.getLong(2), Long::sum);
      }
    }
    unmarked.forEach(Dataset::unpersist);
    return new Counts(in, dropped);
  }

  /**
   * What is taken of the rows that no rule dropped.
   *
   * @param units rows of each input that are taken
   * @param splits rows written of each split
   * @param seen splits that rows have, whether they are taken or not
   * @param leftOver rows that are not taken
   * @param rows written
   * @param redacted placeholders in them, by kind
   */
  record Taken(
      Map<Integer, Long> units,
      Map<String, Long> splits,
      Set<String> seen,
      long leftOver,
      long rows,
      Map<String, Number> redacted) {
    long kept() {
      return units.values().stream().mapToLong(Long::longValue).sum();
    }
  }

  /** Counts what is taken. */
  Taken taken(CurateOptions options) {
    List<Column> sums = new ArrayList<>();
    sums.add(sum(when(col(Mixture.COPIES).gt(0), 1L).otherwise(0L)));
    sums.add(sum(when(col(Mixture.COPIES).gt(0), 0L).otherwise(1L)));
    sums.add(sum(col(Mixture.COPIES).cast("bigint")));
    for (PersonalData kind : PersonalData.values()) {
      Column found = coalesce(col(TextPass.REDACTED).getItem(kind.place()), lit(0L));
      sums.add(sum(found.multiply(col(Mixture.COPIES))));
    }
    Map<Integer, Long> units = new TreeMap<>();
    Map<String, Long> splits = new TreeMap<>();
    Set<String> seen = new TreeSet<>();
    Map<String, Number> redacted = new TreeMap<>();
    options.kinds().forEach(kind -> redacted.put("redacted_" + kind.optionName(), 0L));
    long leftOver = 0;
    long rows = 0;
    Dataset<Row> groups =
        taken
            .groupBy(Mixture.INPUT, Mixture.SPLIT)
            .agg(sums.get(0), sums.subList(1, sums.size()).toArray(Column[]::new));
    for (Row row : Mixture.few(groups, "split")) {
      units.merge(row.getInt(0), row.getLong(2), Long::sum);
      leftOver += row.getLong(3);
      rows += row.getLong(4);
      if (!row.isNullAt(1)) {
        seen.add(row.getString(1));
      }
      if (!row.isNullAt(1) && row.getLong(4) > 0) {
        splits.merge(row.getString(1), row.getLong(4), Long::sum);
      }
      for (PersonalData kind : options.kinds()) {
        long found = row.getLong(5 + kind.place());
        redacted.merge(
            "redacted_" + kind.optionName(), found, (a, b) -> a.longValue() + b.longValue());
      }
    }
    return new Taken(units, splits, seen, leftOver, rows, redacted);
  }

  /** The rows that are written, in the columns of the table. */
  Dataset<Row> written(Table output) {
    Dataset<Row> rows = mixture.written(taken, output);
    return dialogues
        ? rows.select(
            Arrays.stream(output.schema().fieldNames())
                .map(name -> col(name))
                .toArray(Column[]::new))
        : rows;
  }

  /** Rows that a rule dropped, as they came, with rule and detail behind their columns. */
  Dataset<Row> rejected() {
    Dataset<Row> dropped = judged.where(col(TextPass.RULE).isNotNull());
    return TextPass.uncut(dropped, columns).drop(Mixture.INPUT, TextPass.REDACTED);
  }

  /** Comparisons that another one stands for. */
  long duplicates() {
    return dialogues ? duplicateRows().count() : 0;
  }

  /** As the table duplicates has them. */
  Dataset<Row> duplicateRows() {
    return kept.where(not(PreferredAnswers.stands()))
        .select(
            col("id"),
            col(PreferredAnswers.KEPT_ID).as("kept_id"),
            lit(1.0).as("score"),
            lit(PreferredAnswers.RULE).as("rule"));
  }

  /** Rows that the use refuses, by reason. */
  Map<String, Long> refused() {
    return refused;
  }

  /** Rows of evaluation tables that are too short to be found. */
  long unchecked() {
    return unchecked;
  }

  @Override
  public void close() {
    for (int i = held.size() - 1; i >= 0; i--) {
      held.get(i).unpersist();
    }
  }
}
