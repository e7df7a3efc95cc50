package dev.distillery.jobs.dedup;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.udf;

import dev.distillery.core.text.RougeL;
import dev.distillery.core.text.WordNumbers;
import java.util.List;
import org.apache.spark.HashPartitioner;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.ml.feature.HashingTF;
import org.apache.spark.ml.feature.MinHashLSH;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.api.java.UDF1;
import org.apache.spark.sql.types.DataTypes;
import scala.Tuple2;

/**
 * The gate over the pairs that MLlib's MinHashLSH finds. Every pair is verified by its ROUGE-L, so
 * no pair is invented; pairs that share no hash are missed.
 *
 * @param tables hash tables; two lists of Jaccard similarity J meet in one with probability J
 * @param seed of the hash functions
 */
record MinHashCandidates(int tables, long seed) {
  private static final int FEATURES = 1 << 20;

  /**
   * The lists that an earlier kept one excludes, as far as candidates were found.
   *
   * @param lists ordinal (long) and tokens (words with a space between two), distinct and not empty
   * @param pinned lists of a lower ordinal are kept
   * @param threshold ROUGE-L F above which a list is a duplicate
   */
  List<JavaRDD<Exclusion>> exclusions(Dataset<Row> lists, long pinned, double threshold) {
    UDF1<String, String[]> elements = tokens -> WordNumbers.elementsOf(ComparedRows.words(tokens));
    Dataset<Row> features =
        new HashingTF()
            .setBinary(true)
            .setNumFeatures(FEATURES)
            .setInputCol("elements")
            .setOutputCol("features")
            .transform(
                lists
                    .select("ordinal", "tokens")
                    .withColumn(
                        "elements",
                        udf(elements, DataTypes.createArrayType(DataTypes.StringType))
                            .apply(col("tokens"))));
    // F > t needs an overlap of more than t(m + n) / 2, so a Jaccard similarity above t / (2 - t).
    double distance = 1 - threshold / (2 - threshold) + 1e-9;
    JavaRDD<GreedyChoice.Decision> decisions =
        new MinHashLSH()
            .setNumHashTables(tables)
            .setSeed(seed)
            .setInputCol("features")
            .setOutputCol("hashes")
            .fit(features)
            .approxSimilarityJoin(features, features, distance)
            .where(col("datasetA.ordinal").gt(col("datasetB.ordinal")))
            .select("datasetA.ordinal", "datasetB.ordinal", "datasetA.tokens", "datasetB.tokens")
            .toJavaRDD()
            .mapToPair(MinHashCandidates::scored)
            .filter(pair -> pair._2().scores()[0] > threshold)
            .repartitionAndSortWithinPartitions(new HashPartitioner(1))
            .mapPartitions(pairs -> new GreedyChoice(pairs, pinned, Integer.MAX_VALUE));
    return List.of(decisions.map(decision -> decision.exclusion().orElseThrow()));
  }

  private static Tuple2<Long, Neighbours> scored(Row pair) {
    double score =
        RougeL.score(ComparedRows.words(pair.getString(2)), ComparedRows.words(pair.getString(3)));
    var neighbour = new Neighbours(new long[] {pair.getLong(1)}, new double[] {score}, false);
    return new Tuple2<>(pair.getLong(0), neighbour);
  }
}
