package dev.distillery.training.tokens;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.concat_ws;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.monotonically_increasing_id;
import static org.apache.spark.sql.functions.sort_array;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import dev.distillery.core.run.JobException;
import dev.distillery.training.tokens.EncodeRows.Kind;
import dev.distillery.training.tokens.TokenSettings.Packing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.sql.AnalysisException;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import scala.Tuple2;

/** One input on its way into a token table. Its test is {@code TokenTablesTest}. */
final class EncodedInput implements AutoCloseable {
  private static final List<String> SUMS =
      List.of(
          "rows_kept",
          "rows_cut",
          "rows_split",
          "rows_without_stop",
          "rows_ending_with_user",
          "empty_answers",
          "tokens_read",
          "tokens_cut");

  /** What rows are sorted by: their place in files, and without files their id. */
  private static final List<String> ORDER =
      List.of("file", "block", "ordinal", "id", "piece", "tokens");

  private final Kind kind;
  private final TokenSettings settings;
  private final Dataset<Row> encoded;
  private final JavaRDD<Row> ordered;
  private Optional<JavaRDD<PackRows.Window>> windows = Optional.empty();

  /**
   * @param rows in the columns of the kind's table at least
   * @param tokenizer model or tokenizer, by the driver's path
   */
  EncodedInput(Dataset<Row> rows, Kind kind, String tokenizer, TokenSettings settings) {
    this.kind = kind;
    this.settings = settings;
    this.encoded =
        placed(rows)
            .mapPartitions(
                new EncodeRows(kind, tokenizer, settings), Encoders.row(EncodeRows.SCHEMA))
            .persist(StorageLevel.DISK_ONLY());
    this.ordered =
        encoded
            .where(col("rule").isNull())
            .sort(columns(ORDER))
            .select("tokens", "characters", "length")
            .toJavaRDD();
  }

  private static Column[] columns(List<String> names) {
    return names.stream().map(functions::col).toArray(Column[]::new);
  }

  /** The rows with their place in the input; without one where no files are behind them. */
  private static Dataset<Row> placed(Dataset<Row> rows) {
    Column ordinal = monotonically_increasing_id();
    try {
      return rows.select(
          col("*"),
          col("_metadata.file_path").as(EncodeRows.PLACE.get(0)),
          col("_metadata.file_block_start").as(EncodeRows.PLACE.get(1)),
          ordinal.as(EncodeRows.PLACE.get(2)));
    } catch (Exception e) {
      if (!(e instanceof AnalysisException)) {
        throw e;
      }
      return rows.select(
          col("*"),
          lit("").as(EncodeRows.PLACE.get(0)),
          lit(0L).as(EncodeRows.PLACE.get(1)),
          lit(0L).as(EncodeRows.PLACE.get(2)));
    }
  }

  TokenCounts counts(String name) {
    Map<String, Long> rejects = new TreeMap<>();
    for (Row row : encoded.where(col("rule").isNotNull()).groupBy("rule").count().collectAsList()) {
      rejects.put(row.getString(0), row.getLong(1));
    }
    Column[] sums = SUMS.stream().map(field -> sum(col(field))).toArray(Column[]::new);
    Row row = encoded.agg(sums[0], Arrays.copyOfRange(sums, 1, sums.length)).head();
    long rejected = rejects.values().stream().mapToLong(Long::longValue).sum();
    if (row.isNullAt(0)) {
      throw JobException.invalid(name + " is empty: leave it out, or name one with rows");
    }
    if (row.getLong(0) == 0) {
      throw JobException.invalid(
          "%s: nothing is left to learn of its %s rows; rejected: %s"
              .formatted(name, rejected, rejects));
    }
    return new TokenCounts(
        row.getLong(0) + rejected,
        row.getLong(0),
        row.getLong(1),
        row.getLong(2),
        row.getLong(3),
        row.getLong(4),
        row.getLong(5),
        row.getLong(6),
        row.getLong(7),
        0,
        0,
        rejects);
  }

  Dataset<Row> rejects() {
    return encoded.where(col("rule").isNotNull()).select("id", "rule", "detail", "row");
  }

  /** Writes the rows below the folder, or only counts them; an entry for each part, in order. */
  List<TokenPart> write(Optional<String> folder, Configuration configuration) {
    var hadoop = new SerializableConfiguration(configuration);
    return windows()
        .mapPartitionsWithIndex(new WriteParts(folder.orElse(""), hadoop), true)
        .collect();
  }

  List<TokenSequence> first(int count) {
    return windows()
        .flatMap(window -> window.rows().iterator())
        .map(SequenceCodec::encode)
        .take(count)
        .stream()
        .map(PackRows::decode)
        .toList();
  }

  private JavaRDD<PackRows.Window> windows() {
    if (windows.isEmpty()) {
      windows = Optional.of(newWindows());
    }
    return windows.get();
  }

  private JavaRDD<PackRows.Window> newWindows() {
    if (settings.pairs().ranked()) {
      return prompts();
    }
    if (settings.packing() == Packing.NONE) {
      return ordered.mapPartitions(
          rows -> PackRows.unpacked(Iterators.map(rows, row -> row.<byte[]>getAs(0))));
    }
    var pack = new PackRows(settings, windowStarts(), kind == Kind.DOCUMENTS);
    int partitions = Math.min(pack.windowStarts().length, ordered.getNumPartitions());
    return ordered
        .zipWithIndex()
        .mapToPair(pair -> new Tuple2<>(pair._2(), pair._1().<byte[]>getAs(0)))
        .repartitionAndSortWithinPartitions(new WindowPartitioner(pack, partitions))
        .mapPartitions(pack::pack);
  }

  /** A row for each prompt, in the order of their first pairs; a pair of no group is one itself. */
  private JavaRDD<PackRows.Window> prompts() {
    Column alone = concat_ws("/", lit("row"), col("file"), col("block"), col("ordinal"), col("id"));
    Column place = struct(columns(ORDER));
    return encoded
        .where(col("rule").isNull())
        .groupBy(
            when(col("group").isNull().or(col("group").equalTo("")), alone)
                .otherwise(concat_ws("/", lit("group"), col("group")))
                .as("prompt"))
        .agg(min(place).as("place"), sort_array(collect_list(place)).as("pairs"))
        .sort("place")
        .select("pairs")
        .toJavaRDD()
        .map(EncodedInput::together);
  }

  private static PackRows.Window together(Row prompt) {
    List<TokenSequence> pairs = new ArrayList<>();
    for (Row pair : prompt.<Row>getList(0)) {
      pairs.add(PackRows.decode(pair.<byte[]>getAs(ORDER.indexOf("tokens"))));
    }
    return RankedRows.together(pairs);
  }

  private long[] windowStarts() {
    if (settings.packing() == Packing.ISOLATED) {
      long rows = ordered.count();
      return LongStream.iterate(0, start -> start < rows, start -> start + BestFitDecreasing.WINDOW)
          .toArray();
    }
    long characters = 0;
    long tokens = 0;
    for (Row row : ordered.map(row -> sizes(row)).take(ConstantLength.MEASURED_ROWS)) {
      characters += row.getInt(0);
      tokens += row.getInt(1);
    }
    double buffer =
        ConstantLength.bufferCharacters(settings.maxLength(), (double) characters / tokens);
    Iterator<int[]> lengths =
        ordered.mapPartitions(rows -> List.of(characters(rows)).iterator()).toLocalIterator();
    return ConstantLength.bufferStarts(Iterators.flatten(lengths), buffer);
  }

  @Override
  public void close() {
    encoded.unpersist();
  }

  private static Row sizes(Row row) {
    return org.apache.spark.sql.RowFactory.create(row.getInt(1), row.getInt(2));
  }

  private static int[] characters(Iterator<Row> rows) {
    var lengths = java.util.stream.IntStream.builder();
    rows.forEachRemaining(row -> lengths.add(row.getInt(1)));
    return lengths.build().toArray();
  }
}
