package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import org.junit.jupiter.api.Test;

class SimilarityPoolTest {
  private static final WordTokenizer TOKENIZER = new RougeTokenizer();

  @Property(tries = 300, seed = "20260801")
  void answersAreThoseOfComparingWithEveryMember(
      @ForAll long seed, @ForAll @DoubleRange(min = 0.0, max = 1.0) double threshold) {
    var random = new SplittableRandom(seed);
    int words = random.nextInt(3, 30);
    int longest = random.nextInt(2, 24);
    var pool = new SimilarityPool(TOKENIZER, threshold);
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String text = randomText(random, words, random.nextInt(longest), texts);
      List<Match> scores = scores(texts, text);
      assertThat(pool.firstAbove(text))
          .isEqualTo(scores.stream().filter(m -> m.score() > threshold).findFirst());
      assertThat(pool.nearest(text, 10)).isEqualTo(best(scores, 10));
      assertThat(pool.meanSimilarity(text))
          .isCloseTo(
              scores.stream().mapToDouble(Match::score).sum() / Math.max(1, texts.size()),
              within(1e-12));
      assertThat(pool.add(text)).isEqualTo(i);
      texts.add(text);
    }
  }

  @Property(tries = 100, seed = "20260801")
  void partsOfAnIndexFindTogetherWhatTheWholeFinds(
      @ForAll long seed, @ForAll @DoubleRange(min = 0.5, max = 0.95) double threshold) {
    var random = new SplittableRandom(seed);
    var vocabulary = new WordNumbers();
    var whole = new SimilarityIndex(threshold);
    List<SimilarityIndex> parts = new ArrayList<>();
    for (int p = 0; p < 3; p++) {
      int part = p;
      parts.add(new SimilarityIndex(threshold, element -> element % 3 == part));
    }
    List<String> texts = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String text = randomText(random, 12, random.nextInt(14), texts);
      texts.add(text);
      TokenList list = vocabulary.add(TOKENIZER.tokenize(text));
      List<Match> together =
          parts.stream()
              .flatMap(part -> part.above(list, Integer.MAX_VALUE).stream())
              .distinct()
              .sorted(Comparator.comparingInt(Match::member))
              .toList();
      assertThat(together).isEqualTo(whole.above(list, Integer.MAX_VALUE));
      whole.add(list);
      parts.forEach(part -> part.add(list));
    }
  }

  @Test
  void limitGivesTheEarliestMatchesAcrossWindows() {
    var vocabulary = new WordNumbers();
    var index = new SimilarityIndex(0.7);
    TokenList list = vocabulary.add(List.of("write", "a", "poem"));
    TokenList other = vocabulary.add(List.of("something", "else"));
    for (int i = 0; i < 10_000; i++) {
      index.add(i < 5000 || i % 2 == 0 ? other : list);
    }
    assertThat(index.above(list, 3))
        .containsExactly(new Match(5001, 1.0), new Match(5003, 1.0), new Match(5005, 1.0));
    assertThat(index.above(list, Integer.MAX_VALUE)).hasSize(2500);
  }

  @Test
  void exactlyAtTheThresholdIsDecidedOnTheDoubles() {
    var pool = new SimilarityPool(TOKENIZER, 0.7);
    pool.add("a b c d e f g h i j k l m"); // 13 tokens
    // 7 of 13 and 7: 0.7000000000000001 in doubles, above.
    assertThat(pool.firstAbove("a b c d e f g")).isPresent();
    assertThat(new SimilarityPool(TOKENIZER, 0.7000000000000001).firstAbove("a")).isEmpty();
    var higher = new SimilarityPool(TOKENIZER, 0.7000000000000001);
    higher.add("a b c d e f g h i j k l m");
    assertThat(higher.firstAbove("a b c d e f g")).isEmpty();
  }

  @Test
  void textWithoutTokensEqualsNothing() {
    var pool = new SimilarityPool(TOKENIZER, 0.0);
    pool.add("???");
    pool.add("");
    assertThat(pool.firstAbove("???")).isEmpty();
    assertThat(pool.nearest("", 10)).isEmpty();
    assertThat(pool.meanSimilarity("")).isZero();
    assertThat(pool.text(0)).isEqualTo("???");
  }

  @Test
  void tiesAmongTheNearestGoToTheEarlierMember() {
    var pool = new SimilarityPool(TOKENIZER, 0.7);
    for (String text : List.of("x b", "y a", "a z", "a b c", "q")) {
      pool.add(text);
    }
    assertThat(pool.nearest("a b", 3))
        .containsExactly(new Match(3, 0.8), new Match(0, 0.5), new Match(1, 0.5));
  }

  private static List<Match> scores(List<String> texts, String text) {
    List<Match> scores = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      scores.add(
          new Match(i, RougeL.score(TOKENIZER.tokenize(text), TOKENIZER.tokenize(texts.get(i)))));
    }
    return scores;
  }

  private static List<Match> best(List<Match> scores, int limit) {
    return scores.stream()
        .filter(m -> m.score() > 0)
        .sorted(Comparator.comparingDouble(Match::score).reversed().thenComparingInt(Match::member))
        .limit(limit)
        .toList();
  }

  /** Half of the texts are an earlier one with a few words changed. */
  private static String randomText(
      SplittableRandom random, int words, int length, List<String> earlier) {
    Optional<String> base =
        earlier.isEmpty() || random.nextBoolean()
            ? Optional.empty()
            : Optional.of(earlier.get(random.nextInt(earlier.size())));
    List<String> tokens = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      // The smaller of two draws: some words are much more frequent than others.
      tokens.add("w" + Math.min(random.nextInt(words), random.nextInt(words)));
    }
    if (base.isPresent()) {
      tokens = new ArrayList<>(TOKENIZER.tokenize(base.get()));
      for (int i = 0; i < tokens.size(); i++) {
        if (random.nextInt(6) == 0) {
          tokens.set(i, "w" + random.nextInt(words));
        }
      }
    }
    return String.join(" ", tokens);
  }
}
