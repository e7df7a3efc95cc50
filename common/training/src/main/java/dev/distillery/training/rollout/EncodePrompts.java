package dev.distillery.training.rollout;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.training.tokens.RowEncoder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a table as prompts: a row of {@link #SCHEMA} for each, with a rule where it is none. What
 * a message holds is text, whatever marks it spells.
 */
final class EncodePrompts implements MapPartitionsFunction<Row, Row> {
  private static final long serialVersionUID = 1L;

  static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.StringType)
          .add("ids", DataTypes.createArrayType(DataTypes.IntegerType))
          .add("text", DataTypes.StringType)
          .add("turns", DataTypes.StringType)
          .add("reference", DataTypes.StringType)
          .add("row", DataTypes.StringType)
          .add("rule", DataTypes.StringType)
          .add("detail", DataTypes.StringType);

  private static final ObjectMapper JSON = new ObjectMapper();

  private final String table;
  private final String model;
  private final String template;
  private final TemplateInputs inputs;
  private final int most;

  /**
   * Prompts of a table's rows.
   *
   * @param table its name
   * @param model by the driver's path
   * @param template chat template; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue
   * @param most tokens of a prompt
   */
  EncodePrompts(String table, String model, String template, TemplateInputs inputs, int most) {
    this.table = table;
    this.model = model;
    this.template = template;
    this.inputs = inputs;
    this.most = most;
  }

  /** A row that is no prompt. */
  private static final class Rejected extends Exception {
    private static final long serialVersionUID = 1L;

    private final String rule;

    Rejected(String rule, String detail) {
      super(detail);
      this.rule = rule;
    }
  }

  @Override
  public Iterator<Row> call(Iterator<Row> rows) {
    if (!rows.hasNext()) {
      return Collections.emptyIterator();
    }
    try (Student student = Student.open(ShippedModel.here(model), 1)) {
      ChatTemplate chat = table.equals("documents") ? null : student.chatTemplate(template, inputs);
      Tokenizer tokenizer = student.tokenizer();
      return new Iterator<>() {
        @Override
        public boolean hasNext() {
          return rows.hasNext();
        }

        @Override
        public Row next() {
          return encode(rows.next(), tokenizer, chat);
        }
      };
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Row encode(Row row, Tokenizer tokenizer, @Nullable ChatTemplate chat) {
    try {
      List<Message> turns = chat == null ? List.of() : turns(row, chat);
      String text = chat == null ? text(row, "text") : chat.render(turns, true);
      if (text.isBlank()) {
        throw new Rejected("empty", "The prompt has no text");
      }
      int[] ids = chat == null ? plain(tokenizer, text) : chat.encode(tokenizer, turns, true).ids();
      if (ids.length > most) {
        throw new Rejected(
            "longer_than_max_length",
            "The prompt has %s tokens, and beside an answer there is room for %s"
                .formatted(ids.length, most));
      }
      return RowFactory.create(
          text(row, "id"),
          Arrays.stream(ids).boxed().toArray(Integer[]::new),
          text,
          json(turns),
          reference(row).orElse(null),
          row.json(),
          null,
          null);
    } catch (IllegalArgumentException e) {
      return rejected(row, "not_in_template", String.valueOf(e.getMessage()));
    } catch (Rejected e) {
      return rejected(row, e.rule, String.valueOf(e.getMessage()));
    }
  }

  private static Row rejected(Row row, String rule, String detail) {
    return RowFactory.create(text(row, "id"), null, null, null, null, row.json(), rule, detail);
  }

  private static int[] plain(Tokenizer tokenizer, String text) {
    return Tokenizer.begun(tokenizer.prefix(), tokenizer.encodeOrdinary(text));
  }

  /** The dialogue up to an answer. */
  private List<Message> turns(Row row, ChatTemplate chat) throws Rejected {
    if (!text(row, "tools").isBlank()) {
      throw new Rejected("not_in_template", "The template has no place for tools");
    }
    return switch (table) {
      case "instructions" -> RowEncoder.task(chat, text(row, "instruction"), text(row, "input"));
      case "preferences" -> upToUser(messages(row, "prompt"));
      default -> upToUser(messages(row, "messages"));
    };
  }

  /** Ends with the last turn of a user: what was answered to it is not asked again. */
  private static List<Message> upToUser(List<Message> turns) throws Rejected {
    for (int i = turns.size() - 1; i >= 0; i--) {
      if (turns.get(i).role().equals("user")) {
        return turns.subList(0, i + 1);
      }
    }
    throw new Rejected("no_user_turn", "No message is a user's");
  }

  private static List<Message> messages(Row row, String column) throws Rejected {
    List<@Nullable Row> messages =
        has(row, column) ? row.getList(row.fieldIndex(column)) : List.of();
    var read = new ArrayList<Row>();
    for (Row message : messages) {
      if (message == null || message.isNullAt(0) || message.isNullAt(1)) {
        throw new Rejected(
            "not_in_template", "Message %s has no role or no content".formatted(read.size()));
      }
      read.add(message);
    }
    return MessageRows.read(read);
  }

  /** The answer that the row has itself. */
  private Optional<String> reference(Row row) throws Rejected {
    String answer =
        switch (table) {
          case "instructions" -> text(row, "output");
          case "preferences" -> text(row, "chosen");
          case "conversations" -> lastAnswer(messages(row, "messages"));
          default -> "";
        };
    return answer.isBlank() ? Optional.empty() : Optional.of(answer);
  }

  private static String lastAnswer(List<Message> turns) {
    Message last = turns.get(turns.size() - 1);
    return last.role().equals("assistant") ? last.content() : "";
  }

  private static String json(List<Message> turns) {
    ArrayNode list = JSON.createArrayNode();
    turns.forEach(turn -> list.add(MessageJson.write(turn)));
    return list.toString();
  }

  private static boolean has(Row row, String column) {
    return Arrays.asList(row.schema().fieldNames()).contains(column)
        && !row.isNullAt(row.fieldIndex(column));
  }

  private static String text(Row row, String column) {
    return has(row, column) ? row.getString(row.fieldIndex(column)) : "";
  }
}
