package dev.distillery.core.prompt;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Drops instructions that a text model cannot follow or that are no instructions. The rules are
 * those of Self-Instruct and Alpaca, tried in their order, the first that fits names the rejection:
 *
 * <ol>
 *   <li>4 to 150 words;
 *   <li>no word of the list, as a whole word in any case;
 *   <li>does not start with "Write a program" (by default: in any case, and as a whole word, so
 *       that a concert's programme may be written; with the strict rule of Alpaca: these very
 *       letters);
 *   <li>does not start with ASCII punctuation;
 *   <li>starts with an ASCII character; where the run counts tokens of any script, starts with a
 *       letter, a digit, an opening bracket or a quotation mark.
 * </ol>
 *
 * <p>Words are parted by white space. Where the run counts tokens of any script, each character of
 * a script that is written without spaces is a word.
 */
public final class InstructionFilter implements Serializable {
  private static final long serialVersionUID = 1L;

  static final int MIN_WORDS = 4;
  static final int MAX_WORDS = 150;

  /** What Self-Instruct does not ask of a language model. */
  static final List<String> SELF_INSTRUCT_WORDS =
      List.of(
          "image",
          "images",
          "graph",
          "graphs",
          "picture",
          "pictures",
          "file",
          "files",
          "map",
          "maps",
          "draw",
          "plot",
          "go to");

  /** What Alpaca adds. */
  static final List<String> ALPACA_WORDS =
      List.of("video", "audio", "music", "flowchart", "diagram");

  private static final String PROGRAM = "Write a program";
  private static final Pattern LOOSE_PROGRAM =
      Pattern.compile("write\\s+a\\s+program" + PythonStrings.WORD_END, Pattern.CASE_INSENSITIVE);
  private static final String ASCII_PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
  private static final Pattern UNSPACED_SCRIPT =
      Pattern.compile(
          "[\\p{IsHan}\\p{IsHiragana}\\p{IsKatakana}\\p{IsThai}\\p{IsLao}\\p{IsKhmer}\\p{IsMyanmar}]");

  private final Pattern blacklist;
  private final boolean exactProgram;
  private final boolean anyScript;

  private InstructionFilter(List<String> words, boolean exactProgram, boolean anyScript) {
    this.blacklist =
        Pattern.compile(
            PythonStrings.WORD_START + "(" + String.join("|", words) + ")" + PythonStrings.WORD_END,
            Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
    this.exactProgram = exactProgram;
    this.anyScript = anyScript;
  }

  /**
   * The rules of Self-Instruct, with its 13 words.
   *
   * @param anyScript whether the run counts tokens of any script ({@code --tokenizer unicode})
   * @param strictParity whether "Write a program" is the original's prefix
   */
  public static InstructionFilter selfInstruct(boolean anyScript, boolean strictParity) {
    return new InstructionFilter(SELF_INSTRUCT_WORDS, strictParity, anyScript);
  }

  /**
   * The rules of Alpaca, with its 18 words.
   *
   * @param anyScript whether the run counts tokens of any script ({@code --tokenizer unicode})
   * @param strictParity whether "Write a program" is the original's prefix
   */
  public static InstructionFilter alpaca(boolean anyScript, boolean strictParity) {
    var words = new ArrayList<>(SELF_INSTRUCT_WORDS);
    words.addAll(ALPACA_WORDS);
    return new InstructionFilter(words, strictParity, anyScript);
  }

  /** The first rule that drops the instruction; empty where none does. */
  public Optional<Rejection> check(String instruction) {
    int words = countWords(instruction);
    if (words < MIN_WORDS) {
      return drop(Rule.TOO_SHORT, words + " words, at least " + MIN_WORDS, instruction);
    }
    if (words > MAX_WORDS) {
      return drop(Rule.TOO_LONG, words + " words, at most " + MAX_WORDS, instruction);
    }
    Matcher word = blacklist.matcher(instruction);
    if (word.find()) {
      return drop(Rule.BLACKLISTED_WORD, word.group(1).toLowerCase(Locale.ROOT), instruction);
    }
    if (exactProgram
        ? instruction.startsWith(PROGRAM)
        : LOOSE_PROGRAM.matcher(instruction).lookingAt()) {
      return drop(Rule.WRITE_A_PROGRAM, "", instruction);
    }
    int first = instruction.codePointAt(0);
    if (ASCII_PUNCTUATION.indexOf(first) >= 0) {
      return drop(Rule.LEADING_PUNCTUATION, Character.toString(first), instruction);
    }
    if (first > 0x7f && !(anyScript && mayStart(first))) {
      return drop(Rule.LEADING_CHARACTER, Character.toString(first), instruction);
    }
    return Optional.empty();
  }

  private int countWords(String text) {
    return PythonStrings.countWords(
        anyScript ? UNSPACED_SCRIPT.matcher(text).replaceAll(" $0 ") : text);
  }

  private static boolean mayStart(int character) {
    return Character.isLetterOrDigit(character)
        || switch (Character.getType(character)) {
          case Character.START_PUNCTUATION,
              Character.INITIAL_QUOTE_PUNCTUATION,
              Character.FINAL_QUOTE_PUNCTUATION ->
              true;
          default -> false;
        };
  }

  private static Optional<Rejection> drop(Rule rule, String detail, String instruction) {
    return Optional.of(new Rejection(rule, detail, instruction));
  }
}
