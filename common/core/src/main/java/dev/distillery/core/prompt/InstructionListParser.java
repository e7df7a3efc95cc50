package dev.distillery.core.prompt;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads the numbered list with which a teacher answers {@link PromptTemplates#newInstructions}. The
 * prompt ends in "9.", so the reply starts within the first instruction; a chat model may greet
 * first, or number from its own start.
 *
 * <p>By default:
 *
 * <ul>
 *   <li>An item begins at a line that starts with the next number and a dot or a bracket; any other
 *       number is text, so "$20." and a list within an item stay whole.
 *   <li>The list may begin with the number that the prompt left open, or with 1, either on the
 *       first line or after a greeting.
 *   <li>An item ends at an empty line; text that follows without a number is chatter.
 *   <li>White space runs become one space, the first letter becomes a capital, the rest stays.
 *   <li>Of a reply that ended at its longest length the last item is dropped, and no other.
 * </ul>
 *
 * <p>With strict parity, as the original: a reply that ended at its longest length is dropped
 * whole; items part at any line that starts with a number, a dot and a space; every letter but the
 * first becomes small.
 */
public final class InstructionListParser {
  private static final Pattern STRICT_SPLIT =
      Pattern.compile("\n" + PythonStrings.DIGIT + "+" + PythonStrings.SPACE + "?\\. ");

  private static final Pattern NUMBER =
      Pattern.compile("[ \\t]{0,8}\\**(\\d{1,6})[ \\t]?[.)]\\**(?!\\d)");

  private final List<String> kept = new ArrayList<>();
  private final List<Rejection> rejected = new ArrayList<>();

  private InstructionListParser() {}

  /**
   * Reads a reply. Never fails; blank items are no candidates. What is kept goes to {@link
   * InstructionFilter} next.
   *
   * @param finishReason {@code length} where the reply was cut
   * @param firstNumber the number that the prompt left open
   * @param strictParity whether to read as the original does
   */
  public static Parsed<String> parse(
      String reply, String finishReason, int firstNumber, boolean strictParity) {
    var parser = new InstructionListParser();
    boolean cut = finishReason.equals("length");
    if (strictParity) {
      parser.parseStrictly(reply, cut);
    } else {
      parser.parseLines(CodeFence.off(reply).lines().toList(), cut, firstNumber);
    }
    return new Parsed<>(parser.kept, parser.rejected);
  }

  private void parseStrictly(String reply, boolean cut) {
    for (String item : STRICT_SPLIT.split(reply, -1)) {
      String instruction = PythonStrings.capitalize(PythonStrings.collapse(item));
      if (instruction.isEmpty()) {
        continue;
      }
      if (cut) {
        rejected.add(new Rejection(Rule.TRUNCATED, "the whole reply", instruction));
      } else {
        kept.add(instruction);
      }
    }
  }

  private void parseLines(List<String> lines, boolean cut, int firstNumber) {
    int start = explicitStart(lines, firstNumber);
    boolean inItem = start < 0;
    int next = inItem ? firstNumber + 1 : number(lines.get(start));
    var item = new StringBuilder();
    // Looked up instead of asked of the item, which may be as long as the reply.
    boolean holdsText = false;
    if (!inItem) {
      for (String line : lines.subList(0, start)) {
        item.append(line).append('\n');
        holdsText |= !line.isBlank();
      }
    }
    for (String line : lines.subList(Math.max(start, 0), lines.size())) {
      if (number(line) == next) {
        close(item, inItem, false);
        inItem = true;
        next++;
        String text = line.substring(numberEnd(line));
        item.append(text);
        holdsText = !text.isBlank();
      } else if (line.isBlank() && holdsText) {
        close(item, inItem, false);
        inItem = false;
        holdsText = false;
      } else {
        item.append('\n').append(line);
        holdsText |= !line.isBlank();
      }
    }
    close(item, inItem, cut);
  }

  private void close(StringBuilder item, boolean inItem, boolean cut) {
    String text = PythonStrings.collapse(item.toString());
    item.setLength(0);
    if (text.isEmpty()) {
      return;
    }
    if (inItem && !cut) {
      kept.add(PythonStrings.capitalizeFirst(text));
    } else {
      rejected.add(new Rejection(inItem ? Rule.TRUNCATED : Rule.CHATTER, "", text));
    }
  }

  /**
   * The line with the list's first number; -1 where the reply starts within the first item. A list
   * numbered from 1 after some text may as well be part of the first item: it is the list only
   * where the text announces it with a colon and nothing has the number after the open one.
   */
  private static int explicitStart(List<String> lines, int firstNumber) {
    int last = -1;
    boolean continued = lines.stream().anyMatch(line -> number(line) == firstNumber + 1);
    int fromOne = -1;
    for (int i = 0; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank()) {
        continue;
      }
      int number = number(line);
      if (number == firstNumber) {
        return i;
      }
      boolean announced = last < 0 || (!continued && lines.get(last).stripTrailing().endsWith(":"));
      if (number == 1 && fromOne < 0 && announced) {
        fromOne = i;
      }
      last = i;
    }
    return fromOne;
  }

  private static int number(String line) {
    Matcher number = NUMBER.matcher(line);
    return number.lookingAt() ? Integer.parseInt(number.group(1)) : -1;
  }

  private static int numberEnd(String line) {
    Matcher number = NUMBER.matcher(line);
    return number.lookingAt() ? number.end() : 0;
  }
}
