package dev.distillery.core.filter;

import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.text.Whitespace;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Defects that instruction sets written by models have, as the AlpacaDataCleaned project found them
 * in Alpaca's; each is a rule by itself.
 */
enum AlpacaDefect implements RowRule {
  /** An answer without any text. */
  EMPTY_OUTPUT {
    @Override
    Optional<String> find(RowText row) {
      return row.texts(Part.ANSWER).stream().anyMatch(Whitespace::isBlank)
          ? Optional.of("an answer is empty")
          : Optional.empty();
    }
  },
  /** An input that says that there is none. */
  NO_INPUT {
    @Override
    Optional<String> find(RowText row) {
      String input = Whitespace.strip(row.input()).toLowerCase(Locale.ROOT);
      boolean says =
          NOTHING.contains(SIGNS.matcher(input).replaceAll("")) || DASHES.contains(input);
      return says ? Optional.of(row.input()) : Optional.empty();
    }
  },
  /** A link to a picture, which a student of text cannot see. */
  PICTURE_LINK {
    @Override
    Optional<String> find(RowText row) {
      Matcher link = PICTURE.matcher(row.whole());
      return link.find() ? Optional.of(link.group()) : Optional.empty();
    }
  },
  /** An answer that goes on with the next task. */
  MERGED_OUTPUT {
    @Override
    Optional<String> find(RowText row) {
      for (String answer : row.texts(Part.ANSWER)) {
        Matcher mark = NEXT_TASK.matcher(answer);
        if (mark.find()) {
          return Optional.of(mark.group().strip());
        }
      }
      return Optional.empty();
    }
  },
  /** A sum that can be computed and comes out otherwise. */
  WRONG_ARITHMETIC {
    @Override
    Optional<String> find(RowText row) {
      String prompt = String.join("\n", row.texts(Part.PROMPT));
      List<String> answers = row.texts(Part.ANSWER);
      for (String answer : answers) {
        Optional<String> wrong = Arithmetic.wrongEquation(answer);
        if (wrong.isEmpty() && answers.size() == 1) {
          wrong = Arithmetic.wrongAnswer(prompt, answer);
        }
        if (wrong.isPresent()) {
          return wrong;
        }
      }
      return Optional.empty();
    }
  },
  /** A block of code that is begun and not ended. */
  UNFINISHED_CODE {
    @Override
    Optional<String> find(RowText row) {
      for (String answer : row.texts(Part.ANSWER)) {
        if (FENCE.matcher(answer).results().count() % 2 == 1) {
          return Optional.of("a code fence is not closed");
        }
      }
      return Optional.empty();
    }
  };

  private static final Pattern SIGNS = Pattern.compile("[^\\p{L}\\p{N}]+");

  private static final Set<String> DASHES = Set.of("-", "--", "---", "–", "—", "/", ".");

  /** Letters and digits alone of what stands where there is no input. */
  private static final Set<String> NOTHING =
      Set.of(
          "none",
          "na",
          "nil",
          "null",
          "nan",
          "nothing",
          "empty",
          "blank",
          "noinput",
          "noinputs",
          "noinputgiven",
          "noinputneeded",
          "noinputprovided",
          "noinputrequired",
          "noinputnecessary",
          "noinputisneeded",
          "noinputisrequired",
          "inputnotneeded",
          "inputnotrequired",
          "notapplicable",
          "notneeded",
          "notprovided",
          "notrequired",
          "thereisnoinput");

  private static final Pattern PICTURE =
      Pattern.compile(
          "!\\[[^\\]\\n]{0,200}\\]\\([^)\\s]{1,2000}\\)"
              + "|\\bhttps?://[^\\s\"'<>)]{1,2000}?\\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg)\\b",
          Pattern.CASE_INSENSITIVE);

  private static final Pattern NEXT_TASK =
      Pattern.compile(
          "^[ \\t]*(?:#{2,}[ \\t]*$|(?:#{1,6}[ \\t]*)?(?:\\d{1,3}[.)][ \\t]*)?(?:\\*\\*)?"
              + "(?:new |next )?(?:instruction|task)(?: \\d{1,3})?(?:\\*\\*)?:)",
          Pattern.CASE_INSENSITIVE | Pattern.MULTILINE);

  private static final Pattern FENCE = Pattern.compile("^[ \\t]{0,3}```", Pattern.MULTILINE);

  /** What is wrong with the row; empty where it has not this defect. */
  abstract Optional<String> find(RowText row);

  @Override
  public Judged judge(RowText row) {
    Optional<String> found = find(row);
    return found.isEmpty()
        ? Judged.kept(row)
        : Judged.dropped(row, name().toLowerCase(Locale.ROOT), found.get());
  }
}
