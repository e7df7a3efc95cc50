package dev.distillery.core.prompt;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads the list of tasks with which a teacher answers an Alpaca prompt. The prompt ends in "4.
 * Instruction:", so the reply starts within the first task; a chat model may repeat that head, or
 * greet first.
 *
 * <p>By default a reply is read line by line:
 *
 * <ul>
 *   <li>A task is Instruction, Input and Output in this order, each head at the start of a line,
 *       with a number or without, in any case, plain or in Markdown's bold. A task without the
 *       Input head has no input.
 *   <li>A head inside a text is text: one without a number and out of order, or with a number other
 *       than its task's. So "20." in a price, a list in an output and a worked example in an input
 *       all survive. A head with the task's number, twice or out of order, makes it malformed.
 *   <li>A new Instruction head needs the next number, or a separator (a line of two or three {@code
 *       #}, or those before the head). After a separator any number will do: numbers only order.
 *   <li>{@code <noinput>}, "No input", "N/A", "None" and the like are the empty input.
 *   <li>Of a reply that ended at its longest length the last task is dropped, and no other.
 * </ul>
 *
 * <p>With strict parity a reply is read as the original does: cut at every {@code ###}; piece k
 * must hold exactly three heads with the number of its place; only {@code <noinput>} is the empty
 * input.
 */
public final class AlpacaReplyParser {
  private static final Pattern SEPARATOR = Pattern.compile("[ \\t]*#{2,3}[ \\t]*");

  /** The head of a field, at the start of a line; looked for in its first characters only. */
  private static final Pattern HEAD =
      Pattern.compile(
          "[ \\t]*(#{2,3}[ \\t]*)?\\**(?:(\\d{1,4})[ \\t]*[.)])?[ \\t]*\\**[ \\t]*"
              + "(Instruction|Input|Output)[ \\t]*\\**[ \\t]*:[ \\t]*\\**",
          Pattern.CASE_INSENSITIVE);

  private static final int HEAD_CHARS = 64;

  private static final Pattern WRAPPING = Pattern.compile("\\A[\\s<\\[(\"']+|[\\s>\\])\"'.]+\\z");

  private static final Set<String> NO_INPUT =
      Set.of(
          "",
          "noinput",
          "no input",
          "no_input",
          "no-input",
          "none",
          "n/a",
          "not applicable",
          "no input needed",
          "no input required",
          "no input necessary");

  private static final Set<String> NO_OUTPUT =
      Set.of("", "nooutput", "no output", "n/a", "not applicable");

  private enum Field {
    NONE,
    INSTRUCTION,
    INPUT,
    OUTPUT;

    String title() {
      return PythonStrings.capitalize(name());
    }
  }

  private final String finishReason;
  private final List<GeneratedTask> kept = new ArrayList<>();
  private final List<Rejection> rejected = new ArrayList<>();

  private AlpacaReplyParser(String finishReason) {
    this.finishReason = finishReason;
  }

  /**
   * Reads a reply. Never fails: what cannot be read is a rejection.
   *
   * @param reply what followed the prompt
   * @param finishReason {@code length} where the reply was cut
   * @param shownTasks how many tasks the prompt showed; the first new one has the next number
   * @param strictParity whether to read as the original does
   */
  public static Parsed<GeneratedTask> parse(
      String reply, String finishReason, int shownTasks, boolean strictParity) {
    var parser = new AlpacaReplyParser(finishReason);
    if (strictParity) {
      parser.parseStrictly(reply, shownTasks + 1);
    } else {
      parser.parseLines(CodeFence.off(reply), shownTasks + 1);
    }
    return new Parsed<>(parser.kept, parser.rejected);
  }

  private void parseStrictly(String reply, int firstNumber) {
    String[] pieces = (firstNumber + ". Instruction:" + reply).split("###", -1);
    for (int k = 0; k < pieces.length; k++) {
      if (k == pieces.length - 1 && finishReason.equals("length")) {
        rejected.add(new Rejection(Rule.TRUNCATED, "", pieces[k]));
        continue;
      }
      List<String> fields = strictFields(pieces[k], firstNumber + k);
      if (fields.size() != 3) {
        String detail = fields.size() + " heads numbered " + (firstNumber + k) + ", not 3";
        rejected.add(new Rejection(Rule.MALFORMED, detail, pieces[k]));
        continue;
      }
      String input = fields.get(1);
      kept.add(
          new GeneratedTask(
              fields.get(0),
              input.toLowerCase(Locale.ROOT).equals("<noinput>") ? "" : input,
              fields.get(2)));
    }
  }

  /** The texts behind each head, whichever head it is: the original does not look. */
  private static List<String> strictFields(String piece, int number) {
    Matcher head =
        Pattern.compile(number + "\\." + PythonStrings.SPACE + "+(Instruction|Input|Output):")
            .matcher(piece);
    var fields = new ArrayList<String>();
    int start = -1;
    while (head.find()) {
      if (start >= 0) {
        fields.add(PythonStrings.strip(piece.substring(start, head.start())));
      }
      start = head.end();
    }
    if (start >= 0) {
      fields.add(PythonStrings.strip(piece.substring(start)));
    }
    return fields;
  }

  private void parseLines(String reply, int firstNumber) {
    var task = new OpenTask(firstNumber, Field.INSTRUCTION, true);
    boolean separated = true;
    for (String line : (Iterable<String>) reply.lines()::iterator) {
      if (SEPARATOR.matcher(line).matches()) {
        close(task);
        task = new OpenTask(task.number, Field.NONE, false);
        separated = true;
        continue;
      }
      Matcher head = HEAD.matcher(line).region(0, Math.min(line.length(), HEAD_CHARS));
      if (head.lookingAt() && opens(head, task, separated)) {
        Field field = field(head);
        if (field != Field.INSTRUCTION && field.compareTo(task.field) <= 0) {
          task.repeated = field;
        } else if (field == Field.INSTRUCTION) {
          close(task);
          task = new OpenTask(number(head, task.number + 1), field, false);
        } else {
          task.field = field;
        }
        task.add(line.substring(head.end()));
        separated = false;
      } else {
        task.add(line);
        separated &= line.isBlank();
      }
    }
    if (finishReason.equals("length") && task.started()) {
      rejected.add(new Rejection(Rule.TRUNCATED, "", task.text()));
    } else {
      close(task);
    }
  }

  /** Whether what looks like a head is one here, and no part of a text. */
  private static boolean opens(Matcher head, OpenTask task, boolean separated) {
    Field field = field(head);
    if (field == Field.INSTRUCTION) {
      return separated
          || head.group(1) != null
          || number(head, 0) == task.number + 1
          || (task.impliedHead && task.field == Field.INSTRUCTION);
    }
    if (task.field == Field.NONE || number(head, task.number) != task.number) {
      return false;
    }
    // Without a number only the next head is one; "Output:" in an output is text.
    return head.group(2) != null || field.compareTo(task.field) > 0;
  }

  private static Field field(Matcher head) {
    return Field.valueOf(head.group(3).toUpperCase(Locale.ROOT));
  }

  private static int number(Matcher head, int otherwise) {
    return head.group(2) == null ? otherwise : Integer.parseInt(head.group(2));
  }

  private void close(OpenTask task) {
    if (!task.started()) {
      return;
    }
    switch (task.field) {
      case NONE -> rejected.add(new Rejection(Rule.CHATTER, "", task.text()));
      case INSTRUCTION, INPUT ->
          rejected.add(new Rejection(Rule.MALFORMED, "no Output", task.text()));
      case OUTPUT -> {
        if (task.repeated != Field.NONE) {
          String detail = "a second or late " + task.repeated.title();
          rejected.add(new Rejection(Rule.MALFORMED, detail, task.text()));
          return;
        }
        String input = task.get(Field.INPUT);
        String output = withoutSeparator(task.get(Field.OUTPUT));
        kept.add(
            new GeneratedTask(
                task.get(Field.INSTRUCTION),
                NO_INPUT.contains(bare(input)) ? "" : input,
                NO_OUTPUT.contains(bare(output)) ? "" : output));
      }
    }
  }

  /** The text without a separator behind its last word. */
  private static String withoutSeparator(String text) {
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == '#') {
      end--;
    }
    int hashes = text.length() - end;
    boolean apart = end > 0 && PythonStrings.isSpace(text.charAt(end - 1));
    return apart && (hashes == 2 || hashes == 3)
        ? PythonStrings.strip(text.substring(0, end))
        : text;
  }

  /** A short text without what people wrap around a marker. */
  private static String bare(String text) {
    return text.length() > 40
        ? text
        : WRAPPING.matcher(text).replaceAll("").toLowerCase(Locale.ROOT);
  }

  /** A task whose lines are still coming. */
  private static final class OpenTask {
    private final int number;
    private final boolean impliedHead;
    private final EnumMap<Field, StringBuilder> texts = new EnumMap<>(Field.class);
    private Field field;
    private Field repeated = Field.NONE;

    OpenTask(int number, Field field, boolean impliedHead) {
      this.number = number;
      this.field = field;
      this.impliedHead = impliedHead;
    }

    void add(String line) {
      texts.computeIfAbsent(field, key -> new StringBuilder()).append(line).append('\n');
    }

    /** Whether anything was said, or at least announced by a head. */
    boolean started() {
      return field.compareTo(Field.INSTRUCTION) > 0 || !text().isEmpty();
    }

    String get(Field which) {
      StringBuilder text = texts.get(which);
      return text == null ? "" : PythonStrings.strip(text.toString());
    }

    String text() {
      return texts.keySet().stream()
          .map(this::get)
          .filter(text -> !text.isEmpty())
          .collect(Collectors.joining("\n"));
    }
  }
}
