package dev.distillery.jobs.judge;

import static org.apache.spark.sql.functions.col;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.spark.warehouse.PreferenceRow;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/**
 * Verdicts for one side as comparisons, which `reward` and `dpo` learn from: the better answer is
 * the chosen one. A tie prefers nothing and makes none.
 */
final class Preferences {
  private Preferences() {}

  /**
   * The comparisons, in the columns of {@link Tables#PREFERENCES}; those of one id are one group.
   *
   * @param judgements in the columns of {@link Tables#JUDGEMENTS}
   */
  static Dataset<Row> of(Dataset<Row> judgements) {
    return judgements
        .where(col("verdict").isin(Judgement.A, Judgement.B))
        .map((MapFunction<Row, Row>) Preferences::row, Encoders.row(Tables.PREFERENCES.schema()));
  }

  private static Row row(Row judged) {
    boolean first = Judgement.A.equals(judged.getAs("verdict"));
    String chosen = judged.getAs(first ? "answer_a" : "answer_b");
    String rejected = judged.getAs(first ? "answer_b" : "answer_a");
    String id = judged.getAs("id");
    String prompt = judged.getAs("prompt");
    String criterion = Objects.requireNonNullElse(judged.<String>getAs("criterion"), "");
    return new PreferenceRow(
            StableIds.of(id, criterion, prompt, chosen, rejected),
            id,
            OptionalDouble.empty(),
            MessageJson.dialogue(prompt).orElseGet(() -> List.of(new Message(Roles.USER, prompt))),
            chosen,
            rejected,
            OptionalDouble.empty(),
            OptionalDouble.empty(),
            Optional.empty(),
            judged.getAs("source"),
            judged.getAs("license"),
            List.of(),
            Optional.empty())
        .toRow();
  }
}
