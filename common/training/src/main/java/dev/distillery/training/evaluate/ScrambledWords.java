package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.random.CounterRandom;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Words whose letters are out of order, as GPT-3 was asked to put them right (Brown et al. 2020,
 * section 3.9.2). The words are a list of our own.
 *
 * @param manner how the letters are disturbed
 */
record ScrambledWords(Manner manner) implements ItemGenerator {
  private static final long serialVersionUID = 1L;
  private static final int SITE = 2;
  private static final String INSERTED = " .,!?;:/-'";
  private static final int MOST_SHUFFLES = 64;
  private static final List<String> WORDS = packaged();

  /** Those that can be shuffled between two letters at each end. */
  private static final List<String> LONG_WORDS =
      WORDS.stream()
          .filter(word -> word.substring(2, word.length() - 2).chars().distinct().count() > 1)
          .toList();

  /** How the letters are disturbed. */
  enum Manner {
    /** Turned round by some places. */
    CYCLE,
    /** All but the first and the last in any order. */
    ANAGRAM_1,
    /** All but the first two and the last two. */
    ANAGRAM_2,
    /** A space or a mark behind each letter. */
    INSERTION,
    /** Backwards. */
    REVERSED;

    String word() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  static ItemGenerator of(Map<String, String> values, List<String> problems) {
    ItemGenerator.unknown(values, List.of("manner"), problems);
    String word = values.getOrDefault("manner", "");
    return new ScrambledWords(
        Stream.of(Manner.values())
            .filter(each -> each.word().equals(word))
            .findFirst()
            .orElseGet(
                () -> {
                  problems.add(
                      "'manner': expected %s, found '%s'"
                          .formatted(
                              String.join(
                                  ", ", Stream.of(Manner.values()).map(Manner::word).toList()),
                              word));
                  return Manner.REVERSED;
                }));
  }

  private List<String> words() {
    return manner == Manner.ANAGRAM_2 ? LONG_WORDS : WORDS;
  }

  @Override
  public long items() {
    return words().size();
  }

  private static List<String> packaged() {
    try (InputStream in = ScrambledWords.class.getResourceAsStream("words.txt")) {
      String text = new String(Objects.requireNonNull(in).readAllBytes(), StandardCharsets.UTF_8);
      return text.lines().flatMap(line -> Stream.of(line.split(" ", -1))).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public List<String> columns() {
    return List.of("scrambled", "word");
  }

  @Override
  public ObjectNode row(long seed, long index) {
    long site = CounterRandom.key(seed, SITE);
    // Each word once: a shot with the same word would show an item its answer.
    int number =
        IntStream.range(0, words().size())
            .boxed()
            .sorted(Comparator.comparingLong(each -> CounterRandom.key(site, each)))
            .skip(index)
            .findFirst()
            .orElseThrow();
    String word = words().get(number);
    long key = CounterRandom.key(site, number);
    String scrambled =
        switch (manner) {
          case CYCLE -> {
            int by = 1 + (int) (CounterRandom.uniformDouble(key, 1) * (word.length() - 1));
            yield word.substring(by) + word.substring(0, by);
          }
          case ANAGRAM_1 -> shuffled(word, 1, key);
          case ANAGRAM_2 -> shuffled(word, 2, key);
          case INSERTION -> inserted(word, key);
          case REVERSED -> new StringBuilder(word).reverse().toString();
        };
    return JsonNodeFactory.instance.objectNode().put("scrambled", scrambled).put("word", word);
  }

  /** Fisher and Yates between the ends that stay, until something has moved. */
  private static String shuffled(String word, int ends, long key) {
    for (int attempt = 0; attempt < MOST_SHUFFLES; attempt++) {
      char[] letters = word.toCharArray();
      for (int i = word.length() - ends - 1; i > ends; i--) {
        double drawn = CounterRandom.uniformDouble(key, 100L * (attempt + 1) + i);
        int j = ends + (int) (drawn * (i - ends + 1));
        char moved = letters[i];
        letters[i] = letters[j];
        letters[j] = moved;
      }
      if (!word.contentEquals(new String(letters))) {
        return new String(letters);
      }
    }
    return word;
  }

  private static String inserted(String word, long key) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < word.length(); i++) {
      text.append(word.charAt(i));
      if (i < word.length() - 1) {
        double drawn = CounterRandom.uniformDouble(key, 1L + i);
        text.append(INSERTED.charAt((int) (drawn * INSERTED.length())));
      }
    }
    return text.toString();
  }
}
