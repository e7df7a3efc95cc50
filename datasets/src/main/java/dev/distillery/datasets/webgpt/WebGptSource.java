package dev.distillery.datasets.webgpt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.Roles;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;

/** Two answers to a question with scores from -1 to 1 that sum to 0; a tie is no comparison. */
public record WebGptSource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "webgpt";
  }

  @Override
  public Table table() {
    return Tables.PREFERENCES;
  }

  @Override
  public String unit() {
    return "comparisons";
  }

  @Override
  public Fields fields() {
    return Fields.read("question", "answer_0", "answer_1", "score_0", "score_1")
        .leaving("quotes_0", "quotes_1", "tokens_0", "tokens_1");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    JsonNode question = row.path("question");
    String asked =
        question.isTextual() ? question.textValue() : JsonFields.requireText(question, "full_text");
    JsonFields.tellUnread(question, "question.", context, Set.of("full_text", "dataset"));
    String[] answers = {
      JsonFields.requireText(row, "answer_0"), JsonFields.requireText(row, "answer_1")
    };
    OptionalDouble first = JsonFields.number(row, "score_0");
    OptionalDouble second = JsonFields.number(row, "score_1");
    if (first.isEmpty() || second.isEmpty()) {
      throw JsonFields.missing(row, "the numbers score_0 and score_1");
    }
    double difference = first.getAsDouble() - second.getAsDouble();
    if (difference == 0) {
      throw new RejectedRowException("tie", "Both answers have the same score");
    }
    int better = difference > 0 ? 0 : 1;
    return List.of(
        tagging.keep(
            new Tagging.Comparison(
                List.of(new Message(Roles.USER, asked.strip())),
                answers[better].strip(),
                answers[1 - better].strip(),
                OptionalDouble.of(Math.abs(difference)),
                better == 0 ? first : second,
                better == 0 ? second : first,
                context.split(),
                List.of())));
  }
}
