package dev.distillery.spark.warehouse;

import dev.distillery.core.teacher.TokenLogprob;
import java.util.List;
import java.util.OptionalInt;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.ArrayType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** The column of the tokens that a teacher wrote, with its codec. */
public final class LogprobRows {
  private static final StructType ONE =
      new StructType()
          .add("token", DataTypes.StringType, true, "The token written out")
          .add("id", DataTypes.IntegerType, true, "Its id in the teacher's vocabulary")
          .add("logprob", DataTypes.DoubleType, true, "Natural logarithm of its probability");

  /** One token. */
  public static final StructType TOKEN =
      ONE.add("top", new ArrayType(ONE, true), true, "The likeliest tokens in its place");

  /** The column's type. */
  public static final ArrayType TYPE = new ArrayType(TOKEN, true);

  private LogprobRows() {}

  /** The column's value; null where there are none. */
  public static Row @Nullable [] of(List<TokenLogprob> tokens) {
    return tokens.isEmpty() ? null : tokens.stream().map(LogprobRows::row).toArray(Row[]::new);
  }

  private static Row row(TokenLogprob token) {
    Row[] top =
        token.top().stream()
            .map(one -> RowFactory.create(one.token(), id(one.id()), one.logprob()))
            .toArray(Row[]::new);
    return RowFactory.create(token.token(), id(token.id()), token.logprob(), top);
  }

  private static @Nullable Integer id(OptionalInt id) {
    return id.isPresent() ? id.getAsInt() : null;
  }

  /** The tokens of a column in the shape of {@link #TYPE}; none where it is null. */
  public static List<TokenLogprob> read(@Nullable List<Row> column) {
    return column == null ? List.of() : column.stream().map(LogprobRows::token).toList();
  }

  private static TokenLogprob token(Row row) {
    @Nullable List<Row> top = row.isNullAt(3) ? null : row.getList(3);
    return new TokenLogprob(
        text(row),
        id(row),
        row.getDouble(2),
        top == null
            ? List.of()
            : top.stream()
                .map(one -> new TokenLogprob.Top(text(one), id(one), one.getDouble(2)))
                .toList());
  }

  private static String text(Row row) {
    return row.isNullAt(0) ? "" : row.getString(0);
  }

  private static OptionalInt id(Row row) {
    return row.isNullAt(1) ? OptionalInt.empty() : OptionalInt.of(row.getInt(1));
  }
}
