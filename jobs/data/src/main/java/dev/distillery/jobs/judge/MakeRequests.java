package dev.distillery.jobs.judge;

import dev.distillery.spark.fanout.RequestCodec;
import java.util.Iterator;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;

/** The requests of an item, as they travel. */
final class MakeRequests implements FlatMapFunction<Row, String> {
  private static final long serialVersionUID = 1L;

  private final Questions questions;

  MakeRequests(Questions questions) {
    this.questions = questions;
  }

  @Override
  public Iterator<String> call(Row row) {
    return questions.about(JudgedItem.of(row)).stream()
        .map(question -> RequestCodec.toJson(question.request()))
        .iterator();
  }
}
