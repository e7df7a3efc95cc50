package dev.distillery.jobs.curate;

import dev.distillery.core.dialogue.Roles;
import dev.distillery.core.filter.RowText;
import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.filter.RowText.Piece;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.spark.warehouse.Table;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.StructField;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Where the texts of a canonical table stand, for rules that know no tables. */
final class RowTexts implements Serializable {
  private static final long serialVersionUID = 1L;

  /** The tables that hold texts to train on. */
  static final List<String> TABLES =
      List.of("instructions", "conversations", "preferences", "documents");

  private static final Map<String, Part> TEXTS =
      Map.of(
          "instruction", Part.PROMPT,
          "input", Part.PROMPT,
          "output", Part.ANSWER,
          "chosen", Part.ANSWER,
          "rejected", Part.ANSWER,
          "text", Part.ANSWER);

  private static final Set<String> DIALOGUES = Set.of("messages", "prompt");

  /** JSON in which texts stand. */
  private static final String TOOLS = "tools";

  private static final Set<String> KNOWN = Set.of("score", "chosen_score", "language", "url");

  private final StructType schema;
  private final boolean onlyPrompts;

  RowTexts(Table table) {
    this.onlyPrompts = table.name().equals("preferences");
    this.schema =
        new StructType(
            Arrays.stream(table.schema().fields())
                .filter(field -> isText(field) || KNOWN.contains(field.name()))
                .toArray(StructField[]::new));
  }

  private static boolean isText(StructField field) {
    return TEXTS.containsKey(field.name())
        || DIALOGUES.contains(field.name())
        || field.name().equals(TOOLS);
  }

  /** The columns that hold text, in the table's order. */
  List<StructField> textFields() {
    return Arrays.stream(schema.fields()).filter(RowTexts::isText).toList();
  }

  /** Whether a row is one text, which rules may cut. */
  boolean isOneText() {
    return textFields().size() == 1 && TEXTS.containsKey(textFields().get(0).name());
  }

  /** Texts and what else rules look at, as one column that the methods below take. */
  Column column() {
    return functions.struct(
        Arrays.stream(schema.fieldNames()).map(functions::col).toArray(Column[]::new));
  }

  /** What rules see of a row. */
  RowText read(Row row) {
    List<Piece> pieces = new ArrayList<>();
    String input = "";
    OptionalDouble score = OptionalDouble.empty();
    Optional<String> language = Optional.empty();
    Optional<String> url = Optional.empty();
    for (int i = 0; i < schema.length(); i++) {
      String name = schema.fields()[i].name();
      Part part = TEXTS.get(name);
      if (part != null) {
        String text = text(row, i);
        pieces.add(new Piece(part, text));
        input = name.equals("input") ? text : input;
      } else if (!row.isNullAt(i)) {
        if (DIALOGUES.contains(name)) {
          row.<Row>getList(i).forEach(turn -> pieces.add(piece(turn)));
        } else if (name.equals("language")) {
          language = Optional.of(row.getString(i));
        } else if (name.equals("url")) {
          url = Optional.of(row.getString(i));
        } else if (!name.equals(TOOLS)) {
          score = OptionalDouble.of(row.getDouble(i));
        }
      }
    }
    return new RowText(pieces, input, score, language, url);
  }

  private Piece piece(Row turn) {
    boolean answers = Roles.ASSISTANT.equals(turn.getString(0)) && !onlyPrompts;
    return new Piece(answers ? Part.ANSWER : Part.PROMPT, text(turn, 1));
  }

  private static String text(Row row, int index) {
    return row.isNullAt(index) ? "" : row.getString(index);
  }

  /**
   * The text columns' values, each text replaced.
   *
   * @param json replaces in a text that is JSON
   */
  List<@Nullable Object> replaced(
      Row row, UnaryOperator<String> replace, UnaryOperator<String> json) {
    List<@Nullable Object> values = new ArrayList<>();
    for (int i = 0; i < schema.length(); i++) {
      StructField field = schema.fields()[i];
      if (!isText(field)) {
        continue;
      }
      if (row.isNullAt(i)) {
        values.add(null);
      } else if (DIALOGUES.contains(field.name())) {
        values.add(
            row.<Row>getList(i).stream()
                .map(turn -> replaced(turn, MessageRows.MESSAGE, replace, json))
                .toArray(Row[]::new));
      } else {
        String text = row.getString(i);
        values.add(field.name().equals(TOOLS) ? json.apply(text) : replace.apply(text));
      }
    }
    return values;
  }

  private static Row replaced(
      Row turn, StructType message, UnaryOperator<String> replace, UnaryOperator<String> json) {
    Object[] values = new Object[turn.length()];
    for (int i = 0; i < values.length; i++) {
      Object value = turn.get(i);
      values[i] =
          value == null
              ? null
              : switch (message.fields()[i].name()) {
                case "content" -> replace.apply((String) value);
                case "tool_calls" -> json.apply((String) value);
                default -> value;
              };
    }
    return RowFactory.create(values);
  }
}
