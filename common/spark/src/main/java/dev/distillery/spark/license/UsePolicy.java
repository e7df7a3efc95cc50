package dev.distillery.spark.license;

import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.spark.license.SourceLicense.CommercialUse;
import dev.distillery.spark.warehouse.Columns;
import dev.distillery.spark.warehouse.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Decides which rows a use allows, by their {@code source} and {@code license}, and says why the
 * others may not be used. What is not clearly allowed is not allowed for commercial use; research
 * may use every row.
 *
 * @param use what the rows are wanted for
 */
public record UsePolicy(Use use) {
  /** Between the sources of a row that was made of several. */
  public static final String JOINED = ", ";

  /** A job has few sources and licenses: more than this many pairs are a column gone wrong. */
  private static final int MAX_PAIRS = 10_000;

  private static final StructType REASONS =
      new StructType()
          .add("refused_source", DataTypes.StringType, false)
          .add("refused_license", DataTypes.StringType, false)
          .add("objection", DataTypes.StringType, false);

  /**
   * Why a row may not be used; empty where it may.
   *
   * @param source the row's source; of several, as {@link #JOINED} parts them, each must allow it
   * @param license the row's SPDX expression
   */
  public Optional<String> objection(String source, String license) {
    if (use == Use.RESEARCH) {
      return Optional.empty();
    }
    // A row may carry a stricter license than its source, or a laxer one; the stricter holds.
    if (Licenses.commercialUse(license) == CommercialUse.NO) {
      return Optional.of(license + " forbids commercial use");
    }
    for (String one : source.split(JOINED, -1)) {
      Optional<SourceLicense> known = Licenses.of(one);
      if (known.isPresent() && known.get().commercialUse() != CommercialUse.YES) {
        SourceLicense terms = known.get();
        String verdict =
            terms.commercialUse() == CommercialUse.NO ? "forbids" : "does not clearly allow";
        String provider = terms.providerTerms().isEmpty() ? "" : "; " + terms.providerTerms();
        return Optional.of(
            one + " (" + terms.spdx() + ") " + verdict + " commercial use" + provider);
      }
    }
    if (Licenses.commercialUse(license) == CommercialUse.UNCLEAR) {
      return Optional.of(license + " does not clearly allow commercial use");
    }
    return Optional.empty();
  }

  /** Whether rows of a table say where they come from. */
  public static boolean canJudge(Table table) {
    return List.of(table.schema().fieldNames()).containsAll(List.of("source", "license"));
  }

  /**
   * What the use makes of a table's rows.
   *
   * @param allowed the rows that may be used
   * @param refused the rows that may not, with the reason in a column behind the others
   * @param reasons how many rows are refused, by reason
   */
  public record Verdict(Dataset<Row> allowed, Dataset<Row> refused, Map<String, Long> reasons) {}

  /**
   * Parts rows by whether the use allows them.
   *
   * @param rows a table with the columns {@code source} and {@code license}; a null there asserts
   *     nothing
   */
  public Verdict judge(Dataset<Row> rows) {
    if (use == Use.RESEARCH) {
      Dataset<Row> none = rows.withColumn("objection", functions.lit("")).limit(0);
      return new Verdict(rows, none, Map.of());
    }
    Column source = functions.coalesce(rows.col("source"), functions.lit(""));
    Column license = functions.coalesce(rows.col("license"), functions.lit(Licenses.NOASSERTION));
    List<Row> pairs = rows.groupBy(source, license).count().limit(MAX_PAIRS + 1).collectAsList();
    if (pairs.size() > MAX_PAIRS) {
      throw new IllegalArgumentException(
          "More than " + MAX_PAIRS + " pairs of source and license: is it the right column?");
    }
    Map<String, Long> objections = new TreeMap<>();
    List<Row> reasons = new ArrayList<>();
    for (Row pair : pairs) {
      String reason = objection(pair.getString(0), pair.getString(1)).orElse(null);
      if (reason != null) {
        objections.merge(reason, pair.getLong(2), Long::sum);
        reasons.add(RowFactory.create(pair.getString(0), pair.getString(1), reason));
      }
    }
    Dataset<Row> refusals = rows.sparkSession().createDataFrame(reasons, REASONS);
    Dataset<Row> judged =
        rows.join(
            functions.broadcast(refusals),
            source
                .equalTo(functions.col("refused_source"))
                .and(license.equalTo(functions.col("refused_license"))),
            "left");
    judged = judged.select(columns(rows, "objection"));
    return new Verdict(
        judged.filter("objection is null").select(columns(rows)),
        judged.filter("objection is not null"),
        objections);
  }

  private static Column[] columns(Dataset<Row> rows, String... further) {
    return Stream.concat(Arrays.stream(rows.columns()), Arrays.stream(further))
        .map(Columns::named)
        .toArray(Column[]::new);
  }
}
