package dev.distillery.jobs.logprobs;

import dev.distillery.model.sample.Student;
import dev.distillery.training.student.SharedStudent;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Makes token ids of rows (id, text, token_ids, the row as JSON), and says which rows cannot be
 * scored.
 */
final class LogprobsRows implements MapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  /** Neither text nor token ids. */
  static final String EMPTY = "empty";

  /** A token id that is not in the model's vocabulary. */
  static final String OUT_OF_RANGE = "token_id_out_of_range";

  /** More tokens than the model's context. */
  static final String TOO_LONG = "longer_than_context";

  static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("token_ids", DataTypes.createArrayType(DataTypes.IntegerType))
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("row", DataTypes.StringType);

  private final String model;
  private final String hash;
  private final int threads;

  LogprobsRows(String model, String hash, int threads) {
    this.model = model;
    this.hash = hash;
    this.threads = threads;
  }

  @Override
  public Row call(Row row) {
    Student student = SharedStudent.of(model, hash, threads);
    List<@Nullable Long> given = row.isNullAt(2) ? List.of() : row.getList(2);
    List<@Nullable Long> ids =
        given.isEmpty() && !row.isNullAt(1) ? tokens(student, row.getString(1)) : given;
    int vocabulary = student.config().vocabSize();
    int context = student.config().maxPositions();
    if (ids.isEmpty()) {
      return rejected(row, EMPTY, "The row has neither text nor token ids");
    }
    if (ids.size() > context) {
      return rejected(
          row,
          TOO_LONG,
          "%s tokens do not fit the model's context of %s".formatted(ids.size(), context));
    }
    for (Long id : ids) {
      if (id == null || id < 0 || id >= vocabulary) {
        return rejected(
            row, OUT_OF_RANGE, "Token id %s is not in 0 to %s".formatted(id, vocabulary - 1));
      }
    }
    return RowFactory.create(
        row.getString(0),
        ids.stream().map(id -> Objects.requireNonNull(id).intValue()).toArray(Integer[]::new),
        null,
        null,
        null);
  }

  private static List<@Nullable Long> tokens(Student student, String text) {
    return Arrays.stream(student.tokenizer().encode(text))
        .asLongStream()
        .boxed()
        .collect(Collectors.toCollection(ArrayList::new));
  }

  private static Row rejected(Row row, String rule, String detail) {
    return RowFactory.create(row.getString(0), null, rule, detail, row.getString(3));
  }
}
