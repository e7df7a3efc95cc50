package dev.distillery.datasets.alpaca;

import com.fasterxml.jackson.databind.node.ObjectNode;
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

/**
 * Rows of {@code instruction}, {@code input} and {@code output}. A row without an output has
 * nothing to learn from and is rejected, as are the some thirty of Alpaca whose output is empty.
 */
public record AlpacaSource(Tagging tagging) implements Source {
  @Override
  public String name() {
    return "alpaca";
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
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String instruction = JsonFields.requireText(row, "instruction");
    String input = JsonFields.text(row, "input").orElse("");
    String output = JsonFields.requireText(row, "output");
    if (instruction.isBlank()) {
      throw new RejectedRowException("empty_instruction", "The instruction is empty");
    }
    if (output.isBlank()) {
      throw new RejectedRowException("empty_output", "The output is empty");
    }
    String id = StableIds.of(tagging.source(), instruction, input, output);
    return List.of(
        RowResult.Kept.of(
            id,
            tagging.instruction(id, 0, instruction, input, output, Optional.empty(), "dataset")));
  }
}
