package dev.distillery.jobs.curate;

import static dev.distillery.spark.warehouse.Columns.named;
import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.flatten;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.map_values;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.transform;
import static org.apache.spark.sql.functions.udf;
import static org.apache.spark.sql.functions.when;
import static org.apache.spark.sql.functions.xxhash64;

import dev.distillery.core.filter.RowText;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Names;
import dev.distillery.core.text.Redactor;
import dev.distillery.core.text.UnicodeTokenizer;
import dev.distillery.core.text.WordGrams;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.MapType;
import org.apache.spark.sql.types.StringType;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Finds rows that hold texts of evaluation tables: {@value #WORDS} words in a row that both have,
 * case and signs aside (Brown et al. 2020, appendix C). An evaluation text of {@value #FEWEST} to
 * 12 words is found as a whole; a row of which every text is shorter is counted as unchecked. Runs
 * of words meet as hashes in a join, so that no table comes to the driver.
 */
final class Contamination {
  static final String RULE = "contaminated";

  private static final int WORDS = 13;

  /** A shorter run stands in too many texts that have nothing to do with each other. */
  private static final int FEWEST = 8;

  /** Columns that a message names. */
  private static final int NAMED = 20;

  private static final UnicodeTokenizer TOKENIZER = new UnicodeTokenizer();

  private static final Table ITEMS =
      new Table(
          "evaluation",
          "One item that a student is asked about.",
          new StructType().add("id", DataTypes.StringType, true));

  /** Texts that say where a row comes from, and nothing of what is asked. */
  private static final Set<String> NO_TEXTS =
      Set.of(
          "id",
          "task_id",
          "group_id",
          "request_id",
          "source",
          "license",
          "split",
          "language",
          "url",
          "origin",
          "teacher",
          "model",
          "judge",
          "params",
          "status",
          "subject",
          "category");

  private static final String KEY = "__text_key";
  private static final String ITEM = "__item";

  /** Runs of an evaluation row, {@code size} words each. */
  private static final ArrayType RUNS =
      DataTypes.createArrayType(
          new StructType()
              .add("size", DataTypes.IntegerType, false)
              .add("hash", DataTypes.LongType, false));

  private final Dataset<Row> items;
  private final List<Integer> sizes;
  private final long unchecked;

  private Contamination(Dataset<Row> items, List<Integer> sizes, long unchecked) {
    this.items = items;
    this.sizes = sizes;
    this.unchecked = unchecked;
  }

  /**
   * Reads evaluation tables and files.
   *
   * @param redactor has been over the rows that texts are looked for in
   */
  static Contamination of(JobRun run, List<String> refs, Redactor redactor) {
    Dataset<Row> runs =
        refs.stream()
            .map(ref -> runs(run, ref, redactor))
            .reduce(Dataset::unionByName)
            .orElseThrow();
    long unchecked = runs.where("size(runs) = 0").count();
    Dataset<Row> items =
        runs.select(col("item"), explode(col("runs")).as("run"))
            .groupBy(col("run.size").as("size"), col("run.hash").as("hash"))
            .agg(min("item").as(ITEM));
    List<Integer> sizes =
        items.select("size").distinct().collectAsList().stream()
            .map(row -> row.getInt(0))
            .sorted()
            .toList();
    return new Contamination(items.select("hash", ITEM), sizes, unchecked);
  }

  /** Evaluation rows that are too short to be found. */
  long unchecked() {
    return unchecked;
  }

  private static Dataset<Row> runs(JobRun run, String ref, Redactor redactor) {
    Dataset<Row> rows = run.sideInputs(List.of(ref), ITEMS);
    List<String> passedOver = new ArrayList<>();
    Optional<Column> all = texts(rows.schema(), Columns::named, "", passedOver);
    if (all.isEmpty()) {
      throw JobException.invalid(
          "Option --decontaminate: "
              + ref
              + " has no column of text; it has "
              + Names.first(NAMED, Arrays.asList(rows.columns())));
    }
    run.progress()
        .say("Of " + ref + " all texts are looked at but " + Names.first(NAMED, passedOver));
    UDF1<Row, Row[]> runs = row -> runs(row.getList(0), redactor);
    return rows.select(
        concat(lit(ref + ": "), coalesce(col("id"), lit("?"))).as("item"),
        udf(runs, RUNS).apply(struct(all.get())).as("runs"));
  }

  /**
   * The texts of all columns, or of all fields of a column, as one array of strings.
   *
   * @param field gives a field's column by its name
   * @param path of the fields
   * @param passedOver gets the names of what holds no text, or none that is asked
   */
  private static Optional<Column> texts(
      StructType type, Function<String, Column> field, String path, List<String> passedOver) {
    List<Column> texts = new ArrayList<>();
    for (StructField each : type.fields()) {
      String name = path + each.name();
      Optional<Column> found =
          NO_TEXTS.contains(each.name())
              ? Optional.empty()
              : texts(each.dataType(), field.apply(each.name()), name, passedOver);
      found.ifPresent(texts::add);
      boolean nested = each.dataType() instanceof StructType;
      if (found.isEmpty() && (!nested || NO_TEXTS.contains(each.name()))) {
        passedOver.add(name);
      }
    }
    return texts.isEmpty() ? Optional.empty() : Optional.of(concat(texts.toArray(Column[]::new)));
  }

  /** A column's texts, those in lists and structs too, as an array of strings; never null. */
  private static Optional<Column> texts(
      DataType type, Column column, String path, List<String> passedOver) {
    Column none = array().cast("array<string>");
    if (type instanceof StringType) {
      return Optional.of(when(column.isNull(), none).otherwise(array(column)));
    }
    if (type instanceof StructType struct) {
      return texts(struct, column::getField, path + ".", passedOver);
    }
    if (type instanceof MapType map) {
      return texts(
          DataTypes.createArrayType(map.valueType()), map_values(column), path, passedOver);
    }
    if (type instanceof ArrayType list) {
      return texts(list.elementType(), lit(null).cast(list.elementType()), path, new ArrayList<>())
          .map(
              some ->
                  coalesce(
                      flatten(
                          transform(
                              column,
                              each ->
                                  texts(list.elementType(), each, path, new ArrayList<>())
                                      .orElseThrow())),
                      none));
    }
    return Optional.empty();
  }

  private static Row[] runs(List<@Nullable String> texts, Redactor redactor) {
    List<Row> runs = new ArrayList<>();
    for (String text : texts) {
      List<String> words =
          text == null ? List.of() : TOKENIZER.tokenize(redactor.redact(text).text());
      int size = Math.min(WORDS, words.size());
      if (size >= FEWEST) {
        for (long hash : WordGrams.hashes(words, size)) {
          runs.add(RowFactory.create(size, hash));
        }
      }
    }
    return runs.toArray(Row[]::new);
  }

  /**
   * Names {@link #RULE} and the evaluation row for each row that holds one's text and that no other
   * rule has dropped.
   */
  Dataset<Row> mark(Dataset<Row> rows, RowTexts texts) {
    if (sizes.isEmpty()) {
      return rows;
    }
    var asked = new ArrayList<>(sizes);
    UDF1<Row, long[]> hashes = row -> hashes(texts.read(row), asked);
    Column key =
        xxhash64(
            texts.textFields().stream().map(field -> named(field.name())).toArray(Column[]::new));
    Dataset<Row> keyed = rows.withColumn(KEY, key);
    Dataset<Row> hits =
        keyed
            .where(col(TextPass.RULE).isNull())
            .select(
                col(KEY),
                explode(
                        udf(hashes, DataTypes.createArrayType(DataTypes.LongType, false))
                            .apply(texts.column()))
                    .as("hash"))
            .join(items, "hash")
            .groupBy(KEY)
            .agg(min(ITEM).as(ITEM));
    Column hit = col(TextPass.RULE).isNull().and(col(ITEM).isNotNull());
    return keyed
        .join(hits, new String[] {KEY}, "left")
        .withColumn(TextPass.DETAIL, when(hit, col(ITEM)).otherwise(col(TextPass.DETAIL)))
        .withColumn(TextPass.RULE, when(hit, lit(RULE)).otherwise(col(TextPass.RULE)))
        .drop(KEY, ITEM);
  }

  private static long[] hashes(RowText row, List<Integer> sizes) {
    var hashes = LongStream.builder();
    for (RowText.Piece piece : row.pieces()) {
      List<String> words = TOKENIZER.tokenize(piece.text());
      for (int size : sizes) {
        for (long hash : WordGrams.hashes(words, size)) {
          hashes.add(hash);
        }
      }
    }
    return hashes.build().distinct().toArray();
  }
}
