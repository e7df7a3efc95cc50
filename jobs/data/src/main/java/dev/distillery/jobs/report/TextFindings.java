package dev.distillery.jobs.report;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.desc;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.row_number;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.to_json;
import static org.apache.spark.sql.functions.xxhash64;

import dev.distillery.core.page.BarPlot;
import dev.distillery.core.page.Wheel;
import dev.distillery.core.text.LanguageId;
import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.RougeTokenizer;
import dev.distillery.core.text.VerbAndObject;
import dev.distillery.spark.warehouse.Columns;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.stream.StreamSupport;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.expressions.Window;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** What is found by reading texts, on the executors: languages, verbs, nearest rows. */
final class TextFindings {
  /** Verbs of the wheel, and objects of each, as Self-Instruct draws them. */
  private static final int VERBS = 20;

  private static final int OBJECTS = 4;

  /** Rows whose language is told: more cost time and tell no more. */
  static final int LANGUAGE_ROWS = 5000;

  private static final int NEAREST = 3;

  /** Of a text, for languages and nearest rows. */
  private static final int MAX_CHARS = 8000;

  private static final int SITE = 7;

  private TextFindings() {}

  /**
   * What is shown of rows that the seed draws, the same on any number of partitions. No more of
   * them is held than that and two hashes.
   */
  static Dataset<Row> drawn(Dataset<Row> rows, List<Column> shown, long seed, int site, int most) {
    Column[] columns = Arrays.stream(rows.columns()).map(Columns::named).toArray(Column[]::new);
    Column whole = to_json(struct(columns));
    List<Column> held = new ArrayList<>();
    for (int i = 0; i < shown.size(); i++) {
      held.add(shown.get(i).as("shown" + i));
    }
    held.add(xxhash64(lit(seed), lit(site), whole).as("drawn"));
    held.add(sha2(whole, 256).as("tie"));
    return rows.select(held.toArray(Column[]::new))
        .orderBy("drawn", "tie")
        .limit(most)
        .drop("drawn", "tie");
  }

  private static Dataset<Row> texts(Dataset<Row> rows, TextColumn column) {
    return rows.select(substring(column.text(), 1, MAX_CHARS).as("text"))
        .where(col("text").rlike("(?U)\\S"));
  }

  /** Languages of a column's texts. */
  static BarPlot languages(Dataset<Row> rows, TextColumn column, long seed) {
    List<BarPlot.Bar> bars =
        drawn(texts(rows, column), List.of(col("text")), seed, SITE, LANGUAGE_ROWS)
            .map(
                (MapFunction<Row, String>)
                    row -> LanguageId.detect(row.getString(0)).orElse("not clear"),
                Encoders.STRING())
            .toDF("language")
            .groupBy("language")
            .agg(count(lit(1)).as("rows"))
            .orderBy(desc("rows"), col("language"))
            .limit(VERBS)
            .collectAsList()
            .stream()
            .map(row -> new BarPlot.Bar(row.getString(0), row.getLong(1)))
            .toList();
    return new BarPlot("Languages of " + column.name(), bars);
  }

  private static final StructType PAIR =
      new StructType().add("verb", DataTypes.StringType).add("object", DataTypes.StringType);

  /** The verbs of a column's texts, most frequent first, with their objects. */
  static Wheel verbs(Dataset<Row> rows, TextColumn column) {
    Dataset<Row> pairs =
        rows.select(column.text())
            .mapPartitions(
                (MapPartitionsFunction<Row, Row>) TextFindings::pairs, Encoders.row(PAIR))
            .groupBy("verb", "object")
            .agg(count(lit(1)).as("rows"));
    var ofVerb = Window.partitionBy("verb");
    List<Row> found =
        pairs
            .withColumn("all", sum("rows").over(ofVerb))
            .withColumn("place", row_number().over(ofVerb.orderBy(desc("rows"), col("object"))))
            .where(col("place").leq(OBJECTS))
            .orderBy(desc("all"), col("verb"), col("place"))
            .limit(VERBS * OBJECTS)
            .collectAsList();
    Map<String, List<Wheel.Part>> objects = new LinkedHashMap<>();
    Map<String, Long> counts = new LinkedHashMap<>();
    for (Row row : found) {
      String verb = row.getString(0);
      if (counts.size() < VERBS || counts.containsKey(verb)) {
        counts.put(verb, row.getLong(3));
        objects
            .computeIfAbsent(verb, unknown -> new ArrayList<>())
            .add(new Wheel.Part(row.getString(1), row.getLong(2)));
      }
    }
    List<Wheel.Slice> slices = new ArrayList<>();
    counts.forEach(
        (verb, number) ->
            slices.add(new Wheel.Slice(verb, number, objects.getOrDefault(verb, List.of()))));
    return new Wheel("Verbs of " + column.name() + " and their objects", slices);
  }

  private static Iterator<Row> pairs(Iterator<Row> rows) {
    var finder = new VerbAndObject.Finder();
    Iterable<Row> each = () -> rows;
    return StreamSupport.stream(each.spliterator(), false)
        .flatMap(row -> finder.of(row.getString(0)).stream())
        .map(pair -> RowFactory.create(pair.verb(), pair.object()))
        .iterator();
  }

  private static final StructType NEAR =
      new StructType()
          .add("number", DataTypes.IntegerType)
          .add("score", DataTypes.DoubleType)
          .add("text", DataTypes.StringType);

  /** A text with the texts nearest to it. */
  record Near(String text, List<Map.Entry<String, Double>> nearest) {}

  /** Texts of rows that are drawn, with those of all rows that are most similar to them. */
  static List<Near> nearest(Dataset<Row> rows, TextColumn column, long seed, int most) {
    Dataset<Row> texts = texts(rows, column).distinct();
    List<String> of =
        drawn(texts, List.of(col("text")), seed, SITE + 1, most).collectAsList().stream()
            .map(row -> row.getString(0))
            .toList();
    List<Row> found =
        texts
            .mapPartitions(new Nearest(List.copyOf(of)), Encoders.row(NEAR))
            .withColumn(
                "place",
                row_number().over(Window.partitionBy("number").orderBy(desc("score"), col("text"))))
            .where(col("place").leq(NEAREST))
            .orderBy("number", "place")
            .collectAsList();
    List<Near> near = new ArrayList<>();
    for (int i = 0; i < of.size(); i++) {
      int number = i;
      near.add(
          new Near(
              of.get(i),
              found.stream()
                  .filter(row -> row.getInt(0) == number)
                  .map(row -> Map.entry(row.getString(2), row.getDouble(1)))
                  .toList()));
    }
    return near;
  }

  /** The nearest of a partition, which are few. */
  private record Nearest(List<String> texts) implements MapPartitionsFunction<Row, Row> {
    private static final long serialVersionUID = 1L;

    private record Scored(double score, String text) {}

    @Override
    public Iterator<Row> call(Iterator<Row> rows) {
      var tokenizer = new RougeTokenizer();
      List<List<String>> tokens = texts.stream().map(tokenizer::tokenize).toList();
      Comparator<Scored> worstFirst =
          Comparator.comparingDouble(Scored::score)
              .thenComparing(Scored::text, Comparator.reverseOrder());
      List<PriorityQueue<Scored>> best = new ArrayList<>();
      texts.forEach(text -> best.add(new PriorityQueue<>(worstFirst)));
      while (rows.hasNext()) {
        String text = rows.next().getString(0);
        List<String> own = tokenizer.tokenize(text);
        for (int i = 0; i < texts.size(); i++) {
          if (!text.equals(texts.get(i))) {
            best.get(i).add(new Scored(RougeL.score(tokens.get(i), own), text));
            if (best.get(i).size() > NEAREST) {
              best.get(i).poll();
            }
          }
        }
      }
      List<Row> found = new ArrayList<>();
      for (int i = 0; i < best.size(); i++) {
        for (Scored scored : best.get(i)) {
          found.add(RowFactory.create(i, scored.score(), scored.text()));
        }
      }
      return found.iterator();
    }
  }

  /** The column whose first requests are told, where the table has one. */
  static Optional<TextColumn> asked(List<TextColumn> texts) {
    return texts.stream()
        .filter(column -> column.name().equals("instruction") || column.name().equals("prompt"))
        .findFirst();
  }
}
