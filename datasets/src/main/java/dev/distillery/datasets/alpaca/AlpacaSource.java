package dev.distillery.datasets.alpaca;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.datasets.DialogueHead;
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

/**
 * Rows of {@code instruction}, {@code input} and {@code output}. A row without an output has
 * nothing to learn from and is rejected, as are the some thirty of Alpaca whose output is empty. A
 * row with {@code system}, {@code history} or {@code tools} is a dialogue: {@link
 * AlpacaDialoguesSource} reads it.
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
  public Fields fields() {
    return Fields.read("instruction", "input", "output", "tools", "functions")
        .reading(DialogueHead.FIELDS)
        .leaving("text");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    DialogueHead.requireTextOnly(row);
    boolean dialogue =
        DialogueHead.system(row).isPresent()
            || !DialogueHead.history(row).isEmpty()
            || DialogueHead.tools(row).isPresent();
    if (dialogue) {
      throw new RejectedRowException(
          "system_or_history",
          "The row has system, history or tools, which an instruction cannot hold; --source"
              + " alpaca-dialogues makes dialogues of all rows");
    }
    String instruction = JsonFields.requireValue(row, "instruction");
    String input = JsonFields.value(row, "input").orElse("");
    String output = JsonFields.requireValue(row, "output");
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
