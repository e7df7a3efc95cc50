package dev.distillery.core.filter;

import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.text.Whitespace;

/**
 * Bounds on characters (code points) and words (between white space) of each text that it looks at.
 *
 * @param maxChars 0 for no bound, as {@code maxWords}
 */
record LengthRule(Part part, long minChars, long maxChars, long minWords, long maxWords)
    implements RowRule {
  private static final long serialVersionUID = 1L;

  static RowRule of(FilterSpec spec) {
    if (!spec.has("min-chars", "max-chars", "min-words", "max-words")) {
      spec.wrong("expected at least one of min-chars, max-chars, min-words, max-words");
    }
    var rule =
        new LengthRule(
            spec.part(Part.WHOLE),
            spec.count("min-chars", 0),
            spec.count("max-chars", 0),
            spec.count("min-words", 0),
            spec.count("max-words", 0));
    if (rule.maxChars > 0 && rule.maxChars < rule.minChars) {
      spec.wrong("max-chars is below min-chars");
    }
    if (rule.maxWords > 0 && rule.maxWords < rule.minWords) {
      spec.wrong("max-words is below min-words");
    }
    return rule;
  }

  @Override
  public Judged judge(RowText row) {
    for (String text : row.texts(part)) {
      if (minChars > 0 || maxChars > 0) {
        long chars = text.codePointCount(0, text.length());
        if (chars < minChars || (maxChars > 0 && chars > maxChars)) {
          return Judged.dropped(
              row, chars < minChars ? "too_short" : "too_long", chars + " characters");
        }
      }
      if (minWords > 0 || maxWords > 0) {
        long words = words(text);
        if (words < minWords || (maxWords > 0 && words > maxWords)) {
          return Judged.dropped(row, words < minWords ? "too_short" : "too_long", words + " words");
        }
      }
    }
    return Judged.kept(row);
  }

  /** Words between white space. */
  static long words(String text) {
    long words = 0;
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      boolean space = Whitespace.isSpace(text.charAt(i));
      words += !space && !inside ? 1 : 0;
      inside = !space;
    }
    return words;
  }
}
