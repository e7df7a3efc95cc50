package dev.distillery.core.filter;

import dev.distillery.core.text.Whitespace;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * The rules of C4 for pages (Raffel et al. 2020, section 2.2, and its published code): lines that
 * end like no sentence, are too short, or speak of scripts and policies are taken out; pages with a
 * curly bracket, filler text or too few sentences are dropped. In the order and with the names of
 * datatrove's filter; a sentence ends at {@code . ? !} before white space or the line's end.
 */
record C4Page(long minSentences, long minWords, long maxWordLength) implements RowRule {
  private static final long serialVersionUID = 1L;

  private static final Pattern CITATION = Pattern.compile("\\[\\d*]|\\[edit]|\\[citation needed]");
  private static final Pattern SENTENCE_END = Pattern.compile("[.?!]+[\"')\\]]*(?=\\s|$)");
  private static final List<String> ENDS = List.of(".", "?", "!", "\"", "'");
  private static final List<String> POLICIES =
      List.of(
          "terms of use",
          "privacy policy",
          "cookie policy",
          "uses cookies",
          "use of cookies",
          "use cookies");

  static RowRule of(FilterSpec spec) {
    return new C4Page(
        spec.count("min-sentences", 5),
        spec.count("min-words", 3),
        spec.count("max-word-length", 1000));
  }

  @Override
  public Judged judge(RowText row) {
    long sentences = 0;
    List<String> kept = new ArrayList<>();
    for (String raw : TextLines.of(row.whole())) {
      String whole = Whitespace.strip(raw);
      WordSpans words = WordSpans.of(whole);
      if (hasLongWord(words)) {
        continue;
      }
      String line = whole.indexOf('[') < 0 ? whole : CITATION.matcher(whole).replaceAll("");
      if (ENDS.stream().noneMatch(line::endsWith) || line.endsWith("...")) {
        continue;
      }
      if (words.size() < minWords) {
        continue;
      }
      String lower = line.toLowerCase(Locale.ROOT);
      if (lower.contains("lorem ipsum")) {
        return Judged.dropped(row, "c4", "lorem_ipsum");
      }
      if (lower.contains("javascript")) {
        continue;
      }
      if (line.indexOf('{') >= 0) {
        return Judged.dropped(row, "c4", "curly_bracket");
      }
      if (POLICIES.stream().anyMatch(lower::contains)) {
        continue;
      }
      sentences += sentences(line);
      kept.add(line);
    }
    return sentences < minSentences
        ? Judged.dropped(row, "c4", "too_few_sentences " + sentences)
        : Judged.kept(row.with(Whitespace.strip(String.join("\n", kept))));
  }

  private boolean hasLongWord(WordSpans words) {
    for (int i = 0; i < words.size(); i++) {
      if (words.chars(i) > maxWordLength) {
        return true;
      }
    }
    return false;
  }

  /** Ends of sentences in a line, and what follows the last. */
  private static long sentences(String line) {
    var ends = SENTENCE_END.matcher(line);
    long count = 0;
    int last = 0;
    while (ends.find()) {
      count++;
      last = ends.end();
    }
    return count + (Whitespace.isBlank(line.substring(last)) ? 0 : 1);
  }
}
