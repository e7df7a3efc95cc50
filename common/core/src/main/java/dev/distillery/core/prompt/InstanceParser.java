package dev.distillery.core.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

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
  /** Possessive, as all that repeats here: a teacher that loops makes texts of blanks. */
  private static final String BOLD = "[ \\t]*+\\**+";

  private static final Heads STRICT =
      new Heads(
          Pattern.compile("Example" + PythonStrings.SPACE + "?" + PythonStrings.DIGIT + "*\\.?"),
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
  private record Heads(Pattern example, Pattern output, Pattern input, Pattern label) {
    Stream<Pattern> all() {
      return Stream.of(example, output, input, label);
    }
  }

  /** Every pattern that is looked for in a reply: none may look at a character often. */
  static List<Pattern> heads() {
    return Stream.concat(STRICT.all(), DEFAULT.all()).toList();
  }

  private final boolean cut;
  private final boolean strict;
  private final Heads heads;
  private final List<TaskInstance> kept = new ArrayList<>();
  private final List<Rejection> rejected = new ArrayList<>();

  private InstanceParser(boolean cut, boolean strict) {
    this.cut = cut;
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
    var parser = new InstanceParser(finishReason.equals("length"), strictParity);
    String lines = reply.replace("\r\n", "\n");
    String text = PythonStrings.strip(strictParity ? lines : CodeFence.off(lines));
    if (classification) {
      parser.parseLabels(text);
    } else {
      parser.parseExamples(text);
    }
    return new Parsed<>(parser.kept, parser.rejected);
  }

  private void parseExamples(String text) {
    List<String> pieces = split(heads.example, text);
    boolean headed = pieces.size() > 1;
    // A head without any text behind it was no example yet to the original.
    int last = pieces.size() - 1;
    while (strict && last > 0 && pieces.get(last).isEmpty()) {
      last--;
    }
    for (int i = 0; i < pieces.size(); i++) {
      String piece = pieces.get(i);
      if (piece.isEmpty()) {
        continue;
      }
      boolean hasOutput = heads.output.matcher(piece).find();
      if (!headed && !hasOutput) {
        reject(Rule.MALFORMED, "no Example and no Output", piece);
      } else if (cut && i == last) {
        reject(Rule.TRUNCATED, "", piece);
      } else if (hasOutput || strict) {
        kept.add(inputAndOutput(piece));
      } else if (i == 0) {
        reject(Rule.CHATTER, "", piece);
      } else {
        reject(Rule.MALFORMED, "no Output", piece);
      }
    }
  }

  private TaskInstance inputAndOutput(String piece) {
    List<String> parts = split(heads.output, piece);
    boolean hasOutput = parts.size() > 1;
    String output = split(heads.input, parts.get(hasOutput ? 1 : 0)).get(0);
    return new TaskInstance(hasOutput ? withoutPrefix(parts.get(0)) : "", output);
  }

  private void parseLabels(String text) {
    List<String> pieces = split(heads.label, text);
    String ahead = pieces.get(0);
    if (pieces.size() == 1 && !ahead.isEmpty()) {
      reject(Rule.MALFORMED, "no Class label", ahead);
    } else if (!ahead.isEmpty()) {
      reject(Rule.CHATTER, "", ahead);
    }
    for (int i = 1; i < pieces.size(); i++) {
      String piece = pieces.get(i);
      if (cut && i == pieces.size() - 1) {
        reject(Rule.TRUNCATED, "", piece);
      } else {
        kept.add(labelled(piece));
      }
    }
  }

  private TaskInstance labelled(String piece) {
    int end = piece.indexOf('\n');
    String label = end < 0 ? piece : PythonStrings.strip(piece.substring(0, end));
    String input = end < 0 ? "" : PythonStrings.strip(piece.substring(end + 1));
    return new TaskInstance(strict ? input : withoutPrefix(input), label);
  }

  private String withoutPrefix(String input) {
    Matcher prefix = heads.input.matcher(input);
    return prefix.lookingAt() ? PythonStrings.strip(input.substring(prefix.end())) : input;
  }

  private void reject(Rule rule, String detail, String text) {
    rejected.add(new Rejection(rule, detail, text));
  }

  /** The stripped texts around each match, empty ones too. */
  private static List<String> split(Pattern pattern, String text) {
    return Stream.of(pattern.split(text, -1)).map(PythonStrings::strip).toList();
  }

  private static Pattern strictHead(String word) {
    return Pattern.compile(
        word
            + PythonStrings.SPACE
            + "*+"
            + PythonStrings.DIGIT
            + "*+"
            + PythonStrings.SPACE
            + "*+:");
  }

  private static Pattern lineHead(String word) {
    return Pattern.compile("(?m)^" + BOLD + word + "[ \\t]*+\\d{0,4}+" + BOLD + ":\\**+");
  }
}
