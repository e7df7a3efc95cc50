package dev.distillery.datasets.selfinstruct;

import com.fasterxml.jackson.databind.JsonNode;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.spark.sql.Row;

/**
 * Self-Instruct's files: tasks with {@code instances} (its seeds), flat instances with {@code
 * input} and {@code output}, models' answers with {@code response}, and generated instructions that
 * have no instance yet (their output is empty).
 *
 * @param seeds whether the rows are people's seed tasks and not a model's
 */
public record SelfInstructSource(Tagging tagging, boolean seeds) implements Source {
  @Override
  public String name() {
    return seeds ? "self-instruct-seeds" : "self-instruct";
  }

  @Override
  public Table table() {
    return Tables.INSTRUCTIONS;
  }

  @Override
  public String unit() {
    return "tasks";
  }

  @Override
  public Fields fields() {
    return Fields.read(
            "instruction", "instances", "input", "output", "response", "is_classification")
        .leaving(
            "name",
            "most_similar",
            "avg_similarity_score",
            "metadata",
            "instruction_metadata",
            "instance_metadata",
            "raw_instances",
            "request_idx");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String instruction = JsonFields.requireValue(row, "instruction");
    if (instruction.isBlank()) {
      throw new RejectedRowException("empty_instruction", "The instruction is empty");
    }
    Optional<Boolean> classification = JsonFields.flag(row, "is_classification");
    List<String[]> instances = instances(row, context);
    List<String> content = new ArrayList<>(List.of(tagging.source(), instruction));
    instances.forEach(instance -> content.addAll(List.of(instance)));
    String taskId = StableIds.of(content.toArray(String[]::new));
    List<Row> rows = new ArrayList<>();
    for (String[] instance : instances) {
      rows.add(
          tagging.instruction(
              taskId,
              rows.size(),
              instruction,
              instance[0],
              instance[1],
              classification,
              seeds ? "seed" : "dataset"));
    }
    return List.of(new RowResult.Kept(taskId, rows, List.of()));
  }

  private static List<String[]> instances(ObjectNode row, RowContext context)
      throws RejectedRowException {
    List<String[]> instances = new ArrayList<>();
    if (row.hasNonNull("instances")) {
      JsonFields.tellBeside(row, "", context, "input", "output", "response");
      for (JsonNode instance : JsonFields.requireArray(row, "instances")) {
        JsonFields.tellUnread(instance, "instances[].", context, Set.of("input", "output"));
        instances.add(
            new String[] {
              JsonFields.value(instance, "input").orElse(""),
              JsonFields.requireValue(instance, "output")
            });
      }
    } else if (row.has("output") || row.has("response")) {
      instances.add(
          new String[] {
            JsonFields.value(row, "input").orElse(""),
            JsonFields.requireValue(row, "output", "response")
          });
      JsonFields.tellBeside(row, instances.get(0)[1], context, "response");
    } else if (row.has("most_similar") || row.has("avg_similarity_score")) {
      instances.add(new String[] {"", ""});
    }
    if (instances.isEmpty()) {
      throw JsonFields.missing(row, "instances, output or response");
    }
    return instances;
  }
}
