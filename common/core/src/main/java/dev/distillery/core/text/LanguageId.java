package dev.distillery.core.text;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import opennlp.tools.langdetect.Language;
import opennlp.tools.langdetect.LanguageDetectorME;
import opennlp.tools.langdetect.LanguageDetectorModel;

/**
 * Tells the language of a text by Apache OpenNLP's model of 183 languages. Meant for keeping or
 * dropping whole dialogues and documents: it looks at three short pieces of the first {@value
 * #MAX_CHARS} characters outside of code blocks, and is silent where two languages are as likely.
 *
 * <p>The model takes some 50 MB of memory, once in a JVM, from the first call on.
 */
public final class LanguageId {
  private static final int MAX_CHARS = 8_000;

  /** Beginning, middle and end, each of so many characters: more costs time and tells no more. */
  private static final int PIECE_CHARS = 120;

  /**
   * The likeliest language must be likelier than the next by this factor. Of the answers to English
   * instructions that the model takes for another language, more than half lie below; of those that
   * it knows to be English, fewer than one in a hundred.
   */
  private static final double MIN_LEAD = 1.1;

  /**
   * Words that are frequent in English and in no other language. Most public dialogues are English,
   * and the model takes longer than all the cleaning of a dialogue: it is not asked where these are
   * {@value #ENGLISH_SHARE} of the words.
   */
  private static final Set<String> ENGLISH =
      Set.of(
          ("the and that with this you have from are your which will what how not can they their it"
                  + " has been would there when were about these those should could")
              .split(" ", -1));

  private static final double ENGLISH_SHARE = 0.1;
  private static final int ENGLISH_WORDS = 5;
  private static final Pattern NO_LETTERS = Pattern.compile("[^\\p{L}]+");

  /** The model names some languages more narrowly than ISO 639-1 does. */
  private static final Map<String, String> WIDER =
      Map.of("cmn", "zh", "ekk", "et", "lvs", "lv", "nob", "nb", "pes", "fa", "arz", "ar");

  /** Codes of ISO 639-1 that were withdrawn for others, but that Java still lists. */
  private static final Set<String> WITHDRAWN = Set.of("iw", "in", "ji");

  private static final Map<String, String> TWO_LETTERS = twoLetters();

  private LanguageId() {}

  /** Loaded where a language is asked for first. */
  private static final class Model {
    static final LanguageDetectorModel INSTANCE = load();

    private static LanguageDetectorModel load() {
      try (InputStream in = LanguageId.class.getResourceAsStream("/langdetect-183.bin")) {
        return new LanguageDetectorModel(
            Objects.requireNonNull(in, "opennlp-models-langdetect is not on the class path"));
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read the model of languages", e);
      }
    }
  }

  /**
   * The language that {@code text} is in, if that can be told: its code in ISO 639-1, or in ISO
   * 639-3 where it has no shorter one.
   */
  public static Optional<String> detect(String text) {
    String prose = prose(text);
    if (prose.codePoints().noneMatch(Character::isLetter)) {
      return Optional.empty();
    }
    String pieces = pieces(prose);
    if (isPlainEnglish(pieces)) {
      return Optional.of("en");
    }
    // A detector is no more than a view of the model, and not for several threads.
    Language[] likeliest = new LanguageDetectorME(Model.INSTANCE).predictLanguages(pieces);
    boolean sure = likeliest[0].getConfidence() >= MIN_LEAD * likeliest[1].getConfidence();
    String code = likeliest[0].getLang();
    return sure ? Optional.of(TWO_LETTERS.getOrDefault(code, code)) : Optional.empty();
  }

  private static boolean isPlainEnglish(String text) {
    String[] words = NO_LETTERS.split(text.toLowerCase(Locale.ROOT));
    long english = Arrays.stream(words).filter(ENGLISH::contains).count();
    return english >= Math.max(ENGLISH_WORDS, words.length * ENGLISH_SHARE);
  }

  private static String pieces(String prose) {
    int length = prose.length();
    if (length <= 3 * PIECE_CHARS) {
      return prose;
    }
    int middle = (length - PIECE_CHARS) / 2;
    return String.join(
        " ",
        prose.substring(0, PIECE_CHARS),
        prose.substring(middle, middle + PIECE_CHARS),
        prose.substring(length - PIECE_CHARS));
  }

  /** The beginning of a text without its fenced code: programs are written in English. */
  private static String prose(String text) {
    StringBuilder prose = new StringBuilder();
    int at = 0;
    while (at < text.length() && prose.length() < MAX_CHARS) {
      int fence = text.indexOf("```", at);
      int end = fence < 0 ? text.length() : fence;
      prose.append(text, at, Math.min(end, at + MAX_CHARS - prose.length()));
      int close = fence < 0 ? -1 : text.indexOf("```", fence + 3);
      at = close < 0 ? text.length() : close + 3;
    }
    return prose.toString();
  }

  private static Map<String, String> twoLetters() {
    Map<String, String> codes = new HashMap<>(WIDER);
    for (String code : Locale.getISOLanguages()) {
      if (!WITHDRAWN.contains(code)) {
        codes.put(Locale.forLanguageTag(code).getISO3Language(), code);
      }
    }
    return codes;
  }
}
