package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class WordGramsTest {
  @Test
  void equalRunsHaveEqualHashesWhereverTheyStand() {
    long[] one = WordGrams.hashes(List.of("a", "b", "c", "d"), 2);
    long[] other = WordGrams.hashes(List.of("x", "b", "c"), 2);
    assertThat(one).hasSize(3).doesNotHaveDuplicates();
    assertThat(other[1]).isEqualTo(one[1]);
    assertThat(other[0]).isNotIn(one[0], one[1], one[2]);
  }

  @Test
  void orderAndLengthAreInTheHash() {
    assertThat(WordGrams.hashes(List.of("a", "b"), 2))
        .isNotEqualTo(WordGrams.hashes(List.of("b", "a"), 2));
    assertThat(WordGrams.hashes(List.of("ab", "c"), 2))
        .isNotEqualTo(WordGrams.hashes(List.of("a", "bc"), 2));
    assertThat(WordGrams.hashes(List.of("a"), 2)).isEmpty();
  }
}
