package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.evaluate.Evaluated;
import dev.distillery.training.evaluate.ItemException;
import java.io.Serializable;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Results of items as lines of JSON: of {@code evaluations}, or with the rule that drops them.
 *
 * @param model as tables name it
 * @param repeat from 1
 */
record EvaluationRows(String model, int repeat) implements Serializable {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Columns of a line: the table's, and what a reject has. */
  static final StructType SCHEMA =
      Tables.EVALUATIONS
          .schema()
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType)
          .add("row", DataTypes.StringType);

  static JsonNode row(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  String line(String task, String id, Evaluated evaluated) {
    ObjectNode line = begin(task, id);
    line.put("prompt", evaluated.prompt());
    line.set("choices", JSON.valueToTree(evaluated.choices()));
    line.set("logprobs", JSON.valueToTree(evaluated.logprobs()));
    evaluated.answer().ifPresent(answer -> line.put("answer", answer));
    if (!evaluated.answers().isEmpty()) {
      line.set("answers", JSON.valueToTree(evaluated.answers()));
    }
    evaluated.target().ifPresent(target -> line.put("target", target));
    line.set("metrics", JSON.valueToTree(evaluated.metrics()));
    return line.toString();
  }

  String rejected(String task, String id, String row, ItemException e) {
    return rejected(task, id, row, e.rule(), String.valueOf(e.getMessage()));
  }

  String rejected(String task, String id, String row, String rule, String detail) {
    return begin(task, id).put("rule", rule).put("detail", detail).put("row", row).toString();
  }

  private ObjectNode begin(String task, String id) {
    return JSON.createObjectNode()
        .put("task", task)
        .put("id", id)
        .put("model", model)
        .put("repeat", repeat);
  }
}
