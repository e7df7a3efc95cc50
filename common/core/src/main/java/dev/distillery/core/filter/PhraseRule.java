package dev.distillery.core.filter;

import dev.distillery.core.filter.RowText.Part;
import dev.distillery.core.text.UnicodeTokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;

/**
 * Drops rows that hold one of some phrases. A phrase matches as whole words; case, signs between
 * the words and Unicode's compatible forms make no difference, and scripts without spaces are
 * matched by character. One pass over a text, however many phrases there are.
 */
final class PhraseRule implements RowRule {
  private static final long serialVersionUID = 1L;
  private static final UnicodeTokenizer WORDS = new UnicodeTokenizer();

  private final String rule;
  private final Part part;
  private final int within;

  /** The phrases, each as its words, by their first word. */
  private final HashMap<String, ArrayList<ArrayList<String>>> phrases = new HashMap<>();

  /**
   * @param within so many words of a text's beginning are looked at; 0 for all
   */
  PhraseRule(String rule, Part part, int within, List<String> phrases) {
    this.rule = rule;
    this.part = part;
    this.within = within;
    for (String phrase : phrases) {
      List<String> words = WORDS.tokenize(phrase);
      if (!words.isEmpty()) {
        this.phrases
            .computeIfAbsent(words.get(0), first -> new ArrayList<>())
            .add(new ArrayList<>(words));
      }
    }
  }

  /**
   * The rule of a list that is packaged, or of a file: a phrase a line, after {@code #} a comment.
   *
   * @param packaged the list's name and the rule's
   * @param files gives the lines of a file that is named
   */
  static RowRule of(
      String packaged, Part part, FilterSpec spec, Function<String, List<String>> files) {
    List<String> phrases = new ArrayList<>();
    if (spec.has("phrases")) {
      phrases.addAll(some(phrases(spec.words("phrases")), "phrases", spec));
    }
    spec.value("file")
        .ifPresent(file -> phrases.addAll(some(phrases(files.apply(file)), "file", spec)));
    if (!spec.has("phrases", "file")) {
      phrases.addAll(phrases(packaged(packaged)));
    }
    return new PhraseRule(packaged, spec.part(part), (int) spec.count("within", 0), phrases);
  }

  /** The same phrases; where there are none, or none has a word, the rule would do nothing. */
  private static List<String> some(List<String> phrases, String key, FilterSpec spec) {
    if (phrases.stream().allMatch(phrase -> WORDS.tokenize(phrase).isEmpty())) {
      spec.wrong("expected at least one phrase in " + key + ", found none");
    }
    return phrases;
  }

  static List<String> phrases(List<String> lines) {
    return lines.stream()
        .map(line -> line.replaceFirst("#.*", "").strip())
        .filter(line -> !line.isEmpty())
        .toList();
  }

  private static List<String> packaged(String name) {
    try (InputStream in = PhraseRule.class.getResourceAsStream("/phrases/" + name + ".txt")) {
      return new String(Objects.requireNonNull(in, name).readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the packaged phrases " + name, e);
    }
  }

  @Override
  public Judged judge(RowText row) {
    for (String text : row.texts(part)) {
      List<String> words = WORDS.tokenize(text);
      int end = within > 0 ? Math.min(within, words.size()) : words.size();
      for (int i = 0; i < end; i++) {
        for (List<String> phrase : phrasesAt(words.get(i))) {
          if (i + phrase.size() <= words.size()
              && words.subList(i, i + phrase.size()).equals(phrase)) {
            return Judged.dropped(row, rule, String.join(" ", phrase));
          }
        }
      }
    }
    return Judged.kept(row);
  }

  private List<? extends List<String>> phrasesAt(String word) {
    List<? extends List<String>> found = phrases.get(word);
    return found == null ? List.of() : found;
  }
}
