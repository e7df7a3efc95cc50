package dev.distillery.datasets.hc3;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * HC3 in its three shapes: a question with lists of answers of people and of ChatGPT, or with one
 * answer and a mark whose it is. Each answer is a unit and becomes a dialogue of one round, whose
 * source names the subject and who answered: {@code hc3/finance/chatgpt}.
 */
public record Hc3Source(Tagging tagging) implements Source {
  /** What ChatGPT's page said in place of an answer: nothing that only speaks of errors. */
  private static final Pattern PAGE_ERROR =
      Pattern.compile(
          "too many requests in 1 hour\\. try again later\\.?"
              + "|an error occurred\\.( (if this issue persists|please) [^\\n]{0,150})?"
              + "|!?network error\\.?",
          Pattern.CASE_INSENSITIVE);

  /** What it put behind an answer that broke off: the last line, alone. */
  private static final Pattern ERROR_LINE =
      Pattern.compile("\\n\\s*+(network error|an error occurred)\\.?$", Pattern.CASE_INSENSITIVE);

  private static final String HUMAN = "human";
  private static final String CHATGPT = "chatgpt";

  /** The detectors' code calls subjects by other names than the data card. */
  private static final Map<String, String> SUBJECTS =
      Map.of("open_questions", "open_qa", "wikipedia_csai", "wiki_csai");

  @Override
  public String name() {
    return "hc3";
  }

  @Override
  public Table table() {
    return Tables.CONVERSATIONS;
  }

  @Override
  public String unit() {
    return "answers";
  }

  @Override
  public Fields fields() {
    return Fields.read(
        "question",
        "prompt",
        "human_answers",
        "chatgpt_answers",
        "answer",
        "source",
        "chatgpt",
        "label");
  }

  @Override
  public List<RowResult> parse(ObjectNode row, RowContext context) throws RejectedRowException {
    String question = JsonFields.requireText(row, "question", "prompt");
    if (question.isBlank()) {
      throw new RejectedRowException("empty_question", "The question is empty");
    }
    JsonFields.tellBeside(row, question, context, "prompt");
    Tagging subject = subject(row, context);
    List<RowResult> results = new ArrayList<>();
    if (row.hasNonNull("human_answers") || row.hasNonNull("chatgpt_answers")) {
      JsonFields.tellBeside(row, "", context, "answer");
      addAnswers(row.path("human_answers"), question, subject.part(HUMAN), context, results);
      addAnswers(row.path("chatgpt_answers"), question, subject.part(CHATGPT), context, results);
    } else {
      String answer = JsonFields.requireText(row, "answer");
      results.add(answer(question, answer, subject.part(who(row)), context));
    }
    if (results.isEmpty()) {
      throw new RejectedRowException("no_answer", "Both lists of answers are empty");
    }
    return results;
  }

  private Tagging subject(ObjectNode row, RowContext context) {
    String name =
        JsonFields.text(row, "source")
            .orElseGet(
                () -> {
                  String file = context.path().substring(context.path().lastIndexOf('/') + 1);
                  return file.replaceFirst("\\..*", "");
                });
    String clean = name.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9_]+", "_");
    return tagging.part(SUBJECTS.getOrDefault(clean, clean));
  }

  private static String who(ObjectNode row) throws RejectedRowException {
    String mark = JsonFields.text(row, "chatgpt", "label").orElse("").toLowerCase(Locale.ROOT);
    return switch (mark) {
      case "true", "1", "chatgpt" -> CHATGPT;
      case "false", "0", "human" -> HUMAN;
      default ->
          throw JsonFields.missing(row, "human_answers and chatgpt_answers, or answer and label");
    };
  }

  private static void addAnswers(
      JsonNode answers,
      String question,
      Tagging tagging,
      RowContext context,
      List<RowResult> results) {
    if (MessageJson.saysSomething(answers) && !answers.isArray()) {
      results.add(new RowResult.Rejected("unsupported_content", "The answers are no list"));
      return;
    }
    for (JsonNode answer : answers) {
      boolean text = answer.isValueNode() && !answer.isNull();
      results.add(
          text
              ? answer(question, answer.asText(), tagging, context)
              : new RowResult.Rejected(
                  answer.isNull() ? "null_content" : "unsupported_content",
                  "An answer is no text but " + answer.getNodeType()));
    }
  }

  private static String withoutErrorLine(String text) {
    int line = text.lastIndexOf('\n');
    boolean error = line > 0 && ERROR_LINE.matcher(text.substring(line)).matches();
    return error ? text.substring(0, line).strip() : text;
  }

  private static RowResult answer(
      String question, String answer, Tagging tagging, RowContext context) {
    String text = answer.strip();
    if (text.isEmpty()) {
      return new RowResult.Rejected("empty_answer", "An answer is empty");
    }
    if (PAGE_ERROR.matcher(text).matches()) {
      return new RowResult.Rejected("error_text", "The answer is an error message: " + text);
    }
    text = withoutErrorLine(text);
    return tagging.conversation(
        List.of(new Message(Roles.USER, question.strip()), new Message(Roles.ASSISTANT, text)),
        context.split(),
        List.of());
  }
}
