package dev.distillery.datasets.dolly;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.Fields;
import dev.distillery.datasets.JsonFields;
import dev.distillery.datasets.RejectedRowException;
import dev.distillery.datasets.RowContext;
import dev.distillery.datasets.RowResult;
import dev.distillery.datasets.Source;
import dev.distillery.datasets.Tagging;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import java.util.List;
import java.util.Optional;

/** Rows of {@code instruction}, {@code context}, {@code response} and {@code category}. */
public record DollySource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "dolly";
  }

  @Override
  public Table table() {
    return Tables.INSTRUCTIONS;
  }

  @Override
  public String unit() {
    return "instructions";
  }

  @Override
  public Fields fields() {
    return Fields.read("instruction", "context", "response", "category");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String instruction = JsonFields.requireValue(row, "instruction");
    String input = JsonFields.value(row, "context").orElse("");
    String output = JsonFields.requireValue(row, "response");
    if (output.isBlank()) {
      throw new RejectedRowException("empty_output", "The response is empty");
    }
    boolean classification = JsonFields.text(row, "category").orElse("").equals("classification");
    String id = StableIds.of(tagging.source(), instruction, input, output);
    return List.of(
        RowResult.Kept.of(
            id,
            tagging.instruction(
                id, 0, instruction, input, output, Optional.of(classification), "dataset")));
  }
}
