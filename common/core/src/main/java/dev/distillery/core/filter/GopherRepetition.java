package dev.distillery.core.filter;

import dev.distillery.core.text.Whitespace;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Repetition within a text: paragraphs and lines that come again, the most frequent n-gram, and
 * n-grams that come again, each as a share of the text (Rae et al. 2021, Scaling Language Models,
 * table A1). In the order and with the words of datatrove's filter, words cut by white space.
 *
 * @param top2 share of characters of the most frequent 2-gram that is too much
 * @param duplicate5 share of characters of repeated 5-grams that is too much
 */
record GopherRepetition(
    double dupParagraphs,
    double dupParagraphChars,
    double dupLines,
    double dupLineChars,
    double top2,
    double top3,
    double top4,
    double duplicate5,
    double duplicate6,
    double duplicate7,
    double duplicate8,
    double duplicate9,
    double duplicate10)
    implements RowRule {
  private static final long serialVersionUID = 1L;
  private static final Pattern PARAGRAPH = Pattern.compile("\\n{2,}");
  private static final Pattern LINE = Pattern.compile("\\n+");

  static RowRule of(FilterSpec spec) {
    return new GopherRepetition(
        spec.number("dup-paragraphs", 0.30),
        spec.number("dup-paragraph-chars", 0.20),
        spec.number("dup-lines", 0.30),
        spec.number("dup-line-chars", 0.20),
        spec.number("top-2", 0.20),
        spec.number("top-3", 0.18),
        spec.number("top-4", 0.16),
        spec.number("dup-5", 0.15),
        spec.number("dup-6", 0.14),
        spec.number("dup-7", 0.13),
        spec.number("dup-8", 0.12),
        spec.number("dup-9", 0.11),
        spec.number("dup-10", 0.10));
  }

  @Override
  public Judged judge(RowText row) {
    String text = row.whole();
    if (text.isEmpty()) {
      return Judged.dropped(row, "gopher_repetition", "empty");
    }
    double chars = text.codePointCount(0, text.length());
    String[] paragraphs = PARAGRAPH.split(Whitespace.strip(text), -1);
    Repeated repeated = Repeated.of(paragraphs);
    if (repeated.elements / (double) paragraphs.length > dupParagraphs) {
      return dropped(row, "dup_para_frac", repeated.elements / (double) paragraphs.length);
    }
    if (repeated.chars / chars > dupParagraphChars) {
      return dropped(row, "dup_para_char_frac", repeated.chars / chars);
    }
    String[] lines = LINE.split(text, -1);
    repeated = Repeated.of(lines);
    if (repeated.elements / (double) lines.length > dupLines) {
      return dropped(row, "dup_line_frac", repeated.elements / (double) lines.length);
    }
    if (repeated.chars / chars > dupLineChars) {
      return dropped(row, "dup_line_char_frac", repeated.chars / chars);
    }
    return byWords(row, WordSpans.of(text), chars);
  }

  private Judged byWords(RowText row, WordSpans words, double chars) {
    double[] top = {top2, top3, top4};
    for (int n = 2; n <= 4; n++) {
      double share = words.size() < n ? 0 : topGram(words, n) / chars;
      if (share > top[n - 2]) {
        return dropped(row, "top_" + n + "_gram", share);
      }
    }
    double[] most = {duplicate5, duplicate6, duplicate7, duplicate8, duplicate9, duplicate10};
    for (int n = 5; n <= 10; n++) {
      double share = repeatedGrams(words, n) / chars;
      if (share > most[n - 5]) {
        return dropped(row, "duplicated_" + n + "_n_grams", share);
      }
    }
    return Judged.kept(row);
  }

  private static Judged dropped(RowText row, String what, double share) {
    return Judged.dropped(row, "gopher_repetition", what + " " + Math.round(share * 1000) / 1000.0);
  }

  /** Characters of all occurrences of the most frequent n-gram, the first of equals. */
  private static long topGram(WordSpans words, int n) {
    int grams = words.size() - n + 1;
    var counts = new HashCounts(grams);
    for (int i = 0; i < grams; i++) {
      counts.add(words.hash(i, n));
    }
    int best = 0;
    int most = 0;
    for (int i = 0; i < grams; i++) {
      int count = counts.count(words.hash(i, n));
      if (count > most) {
        most = count;
        best = i;
      }
    }
    return (long) (words.chars(best, n) + n - 1) * most;
  }

  /** Characters of n-grams that stood before; what follows one begins behind it. */
  private static long repeatedGrams(WordSpans words, int n) {
    var seen = new HashCounts(Math.max(1, words.size()));
    long chars = 0;
    int i = 0;
    while (i + n <= words.size()) {
      if (seen.add(words.hash(i, n)) > 1) {
        chars += words.chars(i, n);
        i += n;
      } else {
        i++;
      }
    }
    return chars;
  }

  /** Elements that stood before, and their characters. */
  private record Repeated(long elements, long chars) {
    static Repeated of(String[] all) {
      Set<String> seen = new HashSet<>();
      long elements = 0;
      long chars = 0;
      for (String element : all) {
        if (!seen.add(element)) {
          elements++;
          chars += element.codePointCount(0, element.length());
        }
      }
      return new Repeated(elements, chars);
    }
  }
}
