package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.evaluate.Evaluated;
import dev.distillery.training.evaluate.ItemException;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Results of items as lines of JSON: of {@code evaluations}, or with the rule that drops them. */
final class EvaluationRows {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Columns of a line: the table's, and what a reject has. */
  static final StructType SCHEMA =
      Tables.EVALUATIONS
          .schema()
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("row", DataTypes.StringType);

  private EvaluationRows() {}

  static JsonNode row(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  static String line(String task, String id, String model, Evaluated evaluated) {
    ObjectNode line = begin(task, id, model);
    line.put("prompt", evaluated.prompt());
    line.set("choices", JSON.valueToTree(evaluated.choices()));
    line.set("logprobs", JSON.valueToTree(evaluated.logprobs()));
    evaluated.answer().ifPresent(answer -> line.put("answer", answer));
    evaluated.target().ifPresent(target -> line.put("target", target));
    line.set("metrics", JSON.valueToTree(evaluated.metrics()));
    return line.toString();
  }

  static String rejected(String task, String id, String model, String row, ItemException e) {
    return rejected(task, id, model, row, e.rule(), String.valueOf(e.getMessage()));
  }

  static String rejected(
      String task, String id, String model, String row, String rule, String detail) {
    return begin(task, id, model)
        .put("rule", rule)
        .put("detail", detail)
        .put("row", row)
        .toString();
  }

  private static ObjectNode begin(String task, String id, String model) {
    return JSON.createObjectNode().put("task", task).put("id", id).put("model", model);
  }
}
