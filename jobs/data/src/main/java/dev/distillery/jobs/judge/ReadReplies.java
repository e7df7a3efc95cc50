package dev.distillery.jobs.judge;

import dev.distillery.core.teacher.FinishReasons;
import dev.distillery.jobs.judge.Judgement.Reply;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/** Items with the replies that came, as judgements: a row for each criterion. */
final class ReadReplies implements FlatMapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;
  private static final String REPLIES = "replies";

  /** The table's columns, and why a row is none of it. */
  private static final StructType SCHEMA =
      Tables.JUDGEMENTS
          .schema()
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType);

  private final Questions questions;

  private ReadReplies(Questions questions) {
    this.questions = questions;
  }

  /**
   * Reads replies.
   *
   * @param items as {@link AnswerSets#judged} gives them
   * @param completions the judge's replies
   */
  static Dataset<Row> of(Questions questions, Dataset<Row> items, Dataset<Row> completions) {
    Dataset<Row> replies =
        completions
            .groupBy("id")
            .agg(
                functions
                    .collect_list(
                        functions.struct(
                            "request_id", "status", "text", "finish_reason", "latency_ms", "error"))
                    .as(REPLIES));
    return items
        .join(replies, new String[] {"id"}, "left")
        .flatMap(new ReadReplies(questions), Encoders.row(SCHEMA));
  }

  @Override
  public Iterator<Row> call(Row row) {
    JudgedItem item = JudgedItem.of(row);
    Map<String, Reply> replies = replies(row);
    List<Row> judged = new ArrayList<>();
    for (String criterion : questions.criteria()) {
      Judgement.of(questions, item, criterion, replies)
          .ifPresent(judgement -> judged.add(row(item, judgement)));
    }
    return judged.iterator();
  }

  private static Map<String, Reply> replies(Row row) {
    var replies = new HashMap<String, Reply>();
    if (!row.isNullAt(row.fieldIndex(REPLIES))) {
      for (Row reply : row.<Row>getList(row.fieldIndex(REPLIES))) {
        boolean ok = "ok".equals(reply.getAs("status"));
        @Nullable String text = reply.getAs("text");
        @Nullable String ended = reply.getAs("finish_reason");
        @Nullable Long millis = reply.getAs("latency_ms");
        replies.put(
            reply.getAs("request_id"),
            new Reply(
                ok ? (text == null ? "" : text) : null,
                ended == null ? FinishReasons.STOP : FinishReasons.of(ended),
                millis == null ? 0 : millis,
                reply.getAs("error")));
      }
    }
    return replies;
  }

  private Row row(JudgedItem item, Judgement judgement) {
    return RowFactory.create(
        item.id(),
        item.prompt(),
        item.modelA(),
        item.modelB(),
        item.answerA(),
        item.answerB(),
        judgement.verdict(),
        questions.judge(),
        judgement.shownFirst(),
        judgement.seconds(),
        null,
        judgement.criterion(),
        judgement.score(),
        judgement.label().isEmpty() ? null : CollectionConverters.asScala(judgement.label()),
        judgement.reason(),
        item.source(),
        item.license(),
        judgement.rule(),
        judgement.detail());
  }
}
