package dev.distillery.core.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the instances with which a teacher answers {@link PromptTemplates#instancesInputFirst} and
 * {@link PromptTemplates#instancesOutputFirst}. What is kept goes to {@link InstanceFilter} next.
 * Of a reply that ended at its longest length the last instance is dropped.
 *
 * <p>Input first: instances stand behind "Example 1" and so on, each with its fields, "Output:" and
 * the output; or there is one instance without a head. "Input:" before the fields goes; a second
 * "Output:" or "Input:" ends the output. Output first: instances stand behind "Class label:", the
 * label on its line and the input below.
 *
 * <p>By default such a word counts at the start of a line only, "Example" with a number only, text
 * ahead of the first head is chatter, and an example without "Output:" is malformed. With strict
 * parity they count anywhere, as in the original, whatever stands ahead of the first "Example" is
 * an instance, and one without "Output:" is all output.
 */
public final class InstanceParser {
  private static final String BOLD = "[ \\t]*\\**";

  private static final Heads STRICT =
      new Heads(
          Pattern.compile("Example" + PythonText.SPACE + "?" + PythonText.DIGIT + "*\\.?"),
          strictHead("Output"),
          strictHead("Input"),
          Pattern.compile("Class label:"));

  private static final Heads DEFAULT =
      new Heads(
          Pattern.compile("(?m)^" + BOLD + "Example[ \\t]?\\d{1,4}[.:)]?" + BOLD),
          lineHead("Output"),
          lineHead("Input"),
          lineHead("Class label"));

  /** How the words that structure a reply are found. */
  private record Heads(Pattern example, Pattern output, Pattern input, Pattern label) {}

  private final boolean strict;
  private final Heads heads;
  private final List<TaskInstance> kept = new ArrayList<>();
  private final List<Rejection> rejected = new ArrayList<>();

  private InstanceParser(boolean strict) {
    this.strict = strict;
    this.heads = strict ? STRICT : DEFAULT;
  }

  /**
   * Reads a reply. Never fails: what cannot be read is a rejection.
   *
   * @param finishReason {@code length} where the reply was cut
   * @param classification whether the labels come first
   * @param strictParity whether to read as the original does
   */
  public static Parsed<TaskInstance> parse(
      String reply, String finishReason, boolean classification, boolean strictParity) {
    var parser = new InstanceParser(strictParity);
    String text = PythonText.strip(reply.replace("\r\n", "\n"));
    if (classification) {
      parser.parseLabels(text);
    } else {
      parser.parseExamples(text);
    }
    if (finishReason.equals("length") && !parser.kept.isEmpty()) {
      TaskInstance last = parser.kept.remove(parser.kept.size() - 1);
      parser.rejected.add(
          new Rejection(Rule.TRUNCATED, "", PythonText.strip(last.input() + "\n" + last.output())));
    }
    return new Parsed<>(parser.kept, parser.rejected);
  }

  private void parseExamples(String text) {
    List<String> pieces = split(heads.example, text);
    if (pieces.size() > 1) {
      for (int i = 0; i < pieces.size(); i++) {
        String piece = PythonText.strip(pieces.get(i));
        if (piece.isEmpty()) {
          continue;
        }
        boolean hasOutput = heads.output.matcher(piece).find();
        if (strict || hasOutput) {
          kept.add(inputAndOutput(piece));
        } else if (i == 0) {
          rejected.add(new Rejection(Rule.CHATTER, "", piece));
        } else {
          rejected.add(new Rejection(Rule.MALFORMED, "no Output", piece));
        }
      }
    } else if (heads.output.matcher(text).find()) {
      kept.add(inputAndOutput(text));
    } else if (!text.isEmpty()) {
      rejected.add(new Rejection(Rule.MALFORMED, "no Example and no Output", text));
    }
  }

  private TaskInstance inputAndOutput(String piece) {
    List<String> parts = split(heads.output, piece);
    String input = parts.size() > 1 ? PythonText.strip(parts.get(0)) : "";
    String output = PythonText.strip(parts.get(parts.size() > 1 ? 1 : 0));
    output = PythonText.strip(split(heads.input, output).get(0));
    Matcher prefix = heads.input.matcher(input);
    return new TaskInstance(
        PythonText.strip(prefix.lookingAt() ? input.substring(prefix.end()) : input), output);
  }

  private void parseLabels(String text) {
    List<String> pieces = split(heads.label, text);
    String ahead = PythonText.strip(pieces.get(0));
    if (!ahead.isEmpty()) {
      boolean labelled = pieces.size() > 1;
      rejected.add(
          new Rejection(
              labelled ? Rule.CHATTER : Rule.MALFORMED, labelled ? "" : "no Class label", ahead));
    }
    for (String piece : pieces.subList(1, pieces.size())) {
      String instance = PythonText.strip(piece);
      int end = instance.indexOf('\n');
      String label = end < 0 ? instance : PythonText.strip(instance.substring(0, end));
      String input = end < 0 ? "" : PythonText.strip(instance.substring(end + 1));
      Matcher prefix = DEFAULT.input.matcher(input);
      boolean cut = !strict && prefix.lookingAt();
      kept.add(
          new TaskInstance(cut ? PythonText.strip(input.substring(prefix.end())) : input, label));
    }
  }

  /** The texts around each match, empty ones too. */
  private static List<String> split(Pattern pattern, String text) {
    return List.of(pattern.split(text, -1));
  }

  private static Pattern strictHead(String word) {
    return Pattern.compile(
        word + PythonText.SPACE + "*" + PythonText.DIGIT + "*" + PythonText.SPACE + "*:");
  }

  private static Pattern lineHead(String word) {
    return Pattern.compile("(?m)^" + BOLD + word + "[ \\t]*\\d{0,4}" + BOLD + ":\\**");
  }
}
