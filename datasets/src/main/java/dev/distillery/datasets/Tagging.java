package dev.distillery.datasets;

import dev.distillery.core.dialogue.Message;
import dev.distillery.spark.license.Licenses;
import dev.distillery.spark.warehouse.Attribution;
import dev.distillery.spark.warehouse.ConversationRow;
import dev.distillery.spark.warehouse.InstructionRow;
import dev.distillery.spark.warehouse.PreferenceRow;
import dev.distillery.spark.warehouse.StableIds;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.sql.Row;

/**
 * Gives rows what every row has: id, source, license.
 *
 * @param source name in the column {@code source}
 * @param license SPDX expression
 */
public record Tagging(String source, String license) implements Serializable {

  /** What the registry says of a source, unless the settings say otherwise. */
  public static Tagging of(String source, SourceSettings settings) {
    String license =
        settings
            .license()
            .or(() -> Licenses.of(source).map(terms -> terms.spdx()))
            .orElse(Licenses.NOASSERTION);
    return new Tagging(settings.sourceName().orElse(source), license);
  }

  /** The same for a part of the source, {@code hc3/finance}. */
  public Tagging part(String part) {
    return new Tagging(source + '/' + part, license);
  }

  /** A stable id of a dialogue. */
  public String id(List<Message> messages) {
    List<String> parts = new ArrayList<>();
    parts.add(source);
    for (Message message : messages) {
      parts.add(message.role());
      parts.add(message.content());
      // A message of words alone keeps the id that it had before messages had more.
      if (message.name().isPresent()
          || message.weight().isPresent()
          || message.toolCalls().isPresent()) {
        parts.add(message.name().orElse(""));
        parts.add(message.weight().toString());
        parts.add(message.toolCalls().orElse(""));
      }
      message.toolCallId().ifPresent(call -> parts.addAll(List.of("tool_call_id", call)));
    }
    return StableIds.of(parts.toArray(String[]::new));
  }

  /** A stable id of a dialogue with the tools that it may call. */
  public String id(List<Message> messages, Optional<String> tools) {
    String id = id(messages);
    return tools.map(text -> StableIds.of(id, text)).orElse(id);
  }

  /** A dialogue that is one unit. */
  public RowResult.Kept conversation(
      List<Message> messages, Optional<String> split, List<Attribution> attribution) {
    String id = id(messages);
    return RowResult.Kept.of(id, conversation(id, messages, Optional.empty(), split, attribution));
  }

  /** A dialogue that is one unit, with the tools that it may call. */
  public RowResult.Kept conversation(
      List<Message> messages, Optional<String> split, Optional<String> tools) {
    String id = id(messages, tools);
    return RowResult.Kept.of(
        id, conversation(id, messages, Optional.empty(), split, List.of(), tools));
  }

  /** A row of the conversations table. */
  public Row conversation(
      String id,
      List<Message> messages,
      Optional<String> language,
      Optional<String> split,
      List<Attribution> attribution) {
    return conversation(id, messages, language, split, attribution, Optional.empty());
  }

  /** A row of the conversations table, with the tools that the dialogue may call. */
  public Row conversation(
      String id,
      List<Message> messages,
      Optional<String> language,
      Optional<String> split,
      List<Attribution> attribution,
      Optional<String> tools) {
    return new ConversationRow(id, messages, language, split, source, license, attribution, tools)
        .toRow();
  }

  /**
   * An instance of a task.
   *
   * @param instance the instance's number in its task
   */
  public Row instruction(
      String taskId,
      int instance,
      String instruction,
      String input,
      String output,
      Optional<Boolean> isClassification,
      String origin) {
    return new InstructionRow(
            instance == 0 ? taskId : StableIds.of(taskId, String.valueOf(instance)),
            taskId,
            instruction,
            input,
            output,
            isClassification,
            origin,
            source,
            license,
            Optional.empty(),
            Optional.empty(),
            List.of(),
            0,
            Optional.empty())
        .toRow();
  }

  /** A comparison before it has an id. */
  public record Comparison(
      List<Message> prompt,
      String chosen,
      String rejected,
      OptionalDouble margin,
      OptionalDouble chosenScore,
      OptionalDouble rejectedScore,
      Optional<String> split,
      List<Attribution> attribution,
      Optional<String> tools) {

    /** One without tools. */
    public Comparison(
        List<Message> prompt,
        String chosen,
        String rejected,
        OptionalDouble margin,
        OptionalDouble chosenScore,
        OptionalDouble rejectedScore,
        Optional<String> split,
        List<Attribution> attribution) {
      this(
          prompt,
          chosen,
          rejected,
          margin,
          chosenScore,
          rejectedScore,
          split,
          attribution,
          Optional.empty());
    }

    /** One of which only the order is known. */
    public static Comparison of(
        List<Message> prompt, String chosen, String rejected, Optional<String> split) {
      return new Comparison(
          prompt,
          chosen,
          rejected,
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          OptionalDouble.empty(),
          split,
          List.of());
    }
  }

  /** A row of the preferences table. */
  public Row preference(Comparison comparison) {
    return preference(comparison, id(comparison.prompt, comparison.tools));
  }

  /**
   * A row of the preferences table, of a prompt that has others.
   *
   * @param group the prompt's {@link #id(List, Optional)}
   */
  public Row preference(Comparison comparison, String group) {
    List<String> content = new ArrayList<>(List.of(group, comparison.chosen, comparison.rejected));
    boolean judged =
        comparison.margin.isPresent()
            || comparison.chosenScore.isPresent()
            || comparison.rejectedScore.isPresent();
    if (judged) {
      // One pair that two people judged is two rows.
      content.add(comparison.margin.toString());
      content.add(comparison.chosenScore.toString());
      content.add(comparison.rejectedScore.toString());
    }
    return new PreferenceRow(
            StableIds.of(content.toArray(String[]::new)),
            group,
            comparison.margin,
            comparison.prompt,
            comparison.chosen,
            comparison.rejected,
            comparison.chosenScore,
            comparison.rejectedScore,
            comparison.split,
            source,
            license,
            comparison.attribution,
            comparison.tools)
        .toRow();
  }

  /**
   * A comparison that is one unit.
   *
   * @throws RejectedRowException where there is nothing to compare
   */
  public RowResult.Kept keep(Comparison comparison) throws RejectedRowException {
    if (comparison.chosen.isBlank() || comparison.rejected.isBlank()) {
      throw new RejectedRowException("empty_answer", "One of the two answers is empty");
    }
    if (comparison.chosen.equals(comparison.rejected)) {
      throw new RejectedRowException("equal_answers", "The two answers are the same");
    }
    if (comparison.prompt.isEmpty()) {
      throw new RejectedRowException("empty_prompt", "There is no prompt");
    }
    Row row = preference(comparison);
    return RowResult.Kept.of(row.getString(0), row);
  }
}
