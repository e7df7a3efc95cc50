package dev.distillery.jobs.logprobs;

import java.util.List;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** Scores rows of {@link LogprobsRows#SCHEMA} into rows of the table {@code logprobs}. */
final class ScoreRows implements MapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  private final String model;
  private final int threads;

  ScoreRows(String model, int threads) {
    this.model = model;
    this.threads = threads;
  }

  @Override
  public Row call(Row row) {
    List<Integer> ids = row.getList(1);
    int[] tokens = ids.stream().mapToInt(Integer::intValue).toArray();
    return RowFactory.create(
        row.getString(0),
        ids.toArray(Integer[]::new),
        SharedStudent.logprobs(model, threads, tokens));
  }
}
