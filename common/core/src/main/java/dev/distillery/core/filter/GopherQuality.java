package dev.distillery.core.filter;

import dev.distillery.core.text.Whitespace;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Whether a text looks like prose (Rae et al. 2021, appendix A1): its length, the length of its
 * words, signs, bullets, ellipses, words with letters, frequent words of English. In the order and
 * with the names of datatrove's filter, words cut by white space.
 */
record GopherQuality(
    long minWords,
    long maxWords,
    double minWordLength,
    double maxWordLength,
    double maxSymbols,
    double maxBullets,
    double maxEllipses,
    double minAlphabetic,
    long minStopWords)
    implements RowRule {
  private static final long serialVersionUID = 1L;

  private static final Set<String> STOP_WORDS =
      Set.of("the", "be", "to", "of", "and", "that", "have", "with");

  static RowRule of(FilterSpec spec) {
    return new GopherQuality(
        spec.count("min-words", 50),
        spec.count("max-words", 100_000),
        spec.number("min-word-length", 3),
        spec.number("max-word-length", 10),
        spec.number("max-symbols", 0.1),
        spec.number("max-bullets", 0.9),
        spec.number("max-ellipses", 0.3),
        spec.number("min-alphabetic", 0.8),
        spec.count("min-stop-words", 2));
  }

  @Override
  public Judged judge(RowText row) {
    String text = row.whole();
    WordSpans words = WordSpans.of(text);
    long plain = 0;
    long plainChars = 0;
    long alphabetic = 0;
    Set<String> stopWords = new HashSet<>();
    for (int i = 0; i < words.size(); i++) {
      String word = words.word(i);
      if (!isSigns(word)) {
        plain++;
        plainChars += words.chars(i);
      }
      alphabetic += word.codePoints().anyMatch(Character::isLetter) ? 1 : 0;
      if (STOP_WORDS.contains(word)) {
        stopWords.add(word);
      }
    }
    double length = plain == 0 ? 0 : plainChars / (double) plain;
    double all = Math.max(1, words.size());
    List<String> lines = TextLines.of(text);
    double lineCount = Math.max(1, lines.size());
    double hashes = count(text, "#") / all;
    double ellipses = (count(text, "...") + count(text, "…")) / all;
    double bullets = lines.stream().filter(GopherQuality::isBullet).count() / lineCount;
    double open = lines.stream().filter(GopherQuality::isOpen).count() / lineCount;
    return Stream.of(
            new Figure("short_doc", plain, plain < minWords),
            new Figure("long_doc", plain, plain > maxWords),
            new Figure("below_avg_threshold", length, length < minWordLength),
            new Figure("above_avg_threshold", length, length > maxWordLength),
            new Figure("too_many_hashes", hashes, hashes > maxSymbols),
            new Figure("too_many_ellipsis", ellipses, ellipses > maxSymbols),
            new Figure("too_many_bullets", bullets, bullets > maxBullets),
            new Figure("too_many_end_ellipsis", open, open > maxEllipses),
            new Figure("below_alpha_threshold", alphabetic / all, alphabetic / all < minAlphabetic),
            new Figure("enough_stop_words", stopWords.size(), stopWords.size() < minStopWords))
        .filter(Figure::wrong)
        .findFirst()
        .map(figure -> Judged.dropped(row, "gopher_quality", figure.toString()))
        .orElseGet(() -> Judged.kept(row));
  }

  /** What was measured, and whether it is out of bounds. */
  private record Figure(String name, double value, boolean wrong) {
    @Override
    public String toString() {
      return name + " " + Math.round(value * 1000) / 1000.0;
    }
  }

  private static boolean isBullet(String line) {
    String text = Whitespace.strip(line);
    return text.startsWith("•") || text.startsWith("-");
  }

  private static boolean isOpen(String line) {
    String text = Whitespace.stripTrailing(line);
    return text.endsWith("...") || text.endsWith("…");
  }

  private static long count(String text, String sign) {
    long count = 0;
    for (int at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + sign.length())) {
      count++;
    }
    return count;
  }

  /** Whether a word is nothing but punctuation and signs of mathematics and money. */
  private static boolean isSigns(String word) {
    return word.codePoints()
        .allMatch(
            c ->
                switch (Character.getType(c)) {
                  case Character.CONNECTOR_PUNCTUATION,
                      Character.DASH_PUNCTUATION,
                      Character.START_PUNCTUATION,
                      Character.END_PUNCTUATION,
                      Character.INITIAL_QUOTE_PUNCTUATION,
                      Character.FINAL_QUOTE_PUNCTUATION,
                      Character.OTHER_PUNCTUATION,
                      Character.MATH_SYMBOL,
                      Character.CURRENCY_SYMBOL,
                      Character.MODIFIER_SYMBOL,
                      Character.CONTROL ->
                      true;
                  default -> false;
                });
  }
}
