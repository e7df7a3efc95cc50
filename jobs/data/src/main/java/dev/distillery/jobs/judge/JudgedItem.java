package dev.distillery.jobs.judge;

import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * What is judged under one id.
 *
 * @param prompt what was asked, as the table completions has it
 * @param modelB who gave answer b; null where one answer is graded
 * @param source sources of the answers
 * @param license licenses of the answers
 */
record JudgedItem(
    String id,
    String prompt,
    String modelA,
    String answerA,
    @Nullable String modelB,
    @Nullable String answerB,
    String source,
    String license) {

  /** The item of a row of {@link AnswerSets#judged}. */
  static JudgedItem of(Row row) {
    return new JudgedItem(
        row.getAs("id"),
        row.getAs("prompt"),
        row.getAs("model_a"),
        row.getAs("answer_a"),
        row.getAs("model_b"),
        row.getAs("answer_b"),
        row.getAs("source"),
        row.getAs("license"));
  }
}
