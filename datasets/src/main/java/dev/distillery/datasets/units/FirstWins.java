package dev.distillery.datasets.units;

import static org.apache.spark.sql.functions.array;
import static org.apache.spark.sql.functions.array_union;
import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.posexplode;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.substring_index;
import static org.apache.spark.sql.functions.xxhash64;

import java.util.List;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Finds the units that a reader of the files in order would drop, keeping a unit unless it shares a
 * key with one that it kept before. (So a unit that is dropped takes none with it.)
 *
 * <p>In rounds: of the units that are undecided, each that is the first of all its keys is kept,
 * and those that share a key with it are dropped. A round decides the first unit of all at least,
 * and nearly everything in practice. Only positions and hashes take part, and only those of keys
 * that stand more than once.
 */
final class FirstWins {
  private static final String EXACT = "exact";

  /** So many hashes go to every executor. */
  private static final long BROADCAST_LIMIT = 1_000_000;

  private FirstWins() {}

  /**
   * The units to drop: their position, {@code id}, the {@code kept_id} that excludes it, and {@code
   * rule}.
   *
   * @param kept units that no rule rejected
   */
  static Dataset<Row> dropped(Dataset<Row> kept) {
    Column place = struct(col("file"), col("part"), col("offset"), col("unit"), col("id"));
    Column keys = array_union(array(concat(lit(EXACT + " "), col("id"))), col("keys"));
    Dataset<Row> all =
        kept.select(place.as("place"), posexplode(keys).as(new String[] {"rank", "key"}))
            .withColumn("hash", xxhash64(col("key")));
    // Of most keys there is one: these are told by eight bytes each, and go no further.
    Dataset<Row> repeated =
        held(all.groupBy("hash").agg(count(lit(1)).as("n")).filter("n > 1").select("hash"));
    long repeats = repeated.count();
    Dataset<Row> suspects =
        repeats == 0
            ? all.limit(0)
            : all.join(repeats < BROADCAST_LIMIT ? broadcast(repeated) : repeated, "hash");
    Dataset<Row> undecided = held(suspects.drop("hash"));
    Dataset<Row> dropped =
        undecided
            .filter("false")
            .select(col("place"), col("place").as("winner"), col("rank"), col("key"));
    while (!undecided.isEmpty()) {
      Dataset<Row> firsts = undecided.groupBy("key").agg(min("place").as("winner"));
      Dataset<Row> judged = undecided.join(firsts, "key");
      Dataset<Row> winners =
          judged
              .groupBy("place")
              .agg(min(col("place").equalTo(col("winner"))).as("wins"))
              .filter("wins")
              .select(col("place").as("winner"));
      Dataset<Row> losers =
          held(
              judged
                  .filter(col("place").notEqual(col("winner")))
                  .join(winners, "winner")
                  .select("place", "winner", "rank", "key"));
      Dataset<Row> decided =
          winners.select(col("winner").as("place")).union(losers.select("place")).distinct();
      dropped = dropped.union(losers);
      undecided =
          held(
              undecided.join(
                  decided, CollectionConverters.asScala(List.of("place")).toSeq(), "left_anti"));
    }
    return dropped
        .groupBy("place")
        .agg(min(struct(col("rank"), col("winner"), col("key"))).as("why"))
        .select(
            col("place.file").as("file"),
            col("place.part").as("part"),
            col("place.offset").as("offset"),
            col("place.unit").as("unit"),
            col("place.id").as("id"),
            col("why.winner.id").as("kept_id"),
            substring_index(col("why.key"), " ", 1).as("rule"));
  }

  /**
   * The rows, computed once, as a plan of one node: a round that is planned through all rounds
   * before it would take longer each time. What a lost executor held is computed again, which a
   * local checkpoint cannot do. Freed when nothing refers to it any more.
   */
  static Dataset<Row> held(Dataset<Row> rows) {
    return rows.sparkSession()
        .createDataFrame(rows.toJavaRDD().persist(StorageLevel.MEMORY_AND_DISK()), rows.schema());
  }
}
