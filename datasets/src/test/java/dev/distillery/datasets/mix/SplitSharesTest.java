package dev.distillery.datasets.mix;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class SplitSharesTest {
  @Test
  void groupsFallIntoSplitsByTheirShares() {
    SplitShares splits = SplitShares.of(List.of("sft=0.5", "reward=0.2", "rl=0.2", "test=.1"));
    assertThat(splits.names()).containsExactly("sft", "reward", "rl", "test");
    var counts = new TreeMap<String, Integer>();
    for (int i = 0; i < 20_000; i++) {
      counts.merge(splits.of(42, "q" + i), 1, Integer::sum);
    }
    assertThat(counts.get("sft") / 20_000.0).isCloseTo(0.5, within(0.02));
    assertThat(counts.get("test") / 20_000.0).isCloseTo(0.1, within(0.02));
  }

  @Test
  void aGroupStaysWhereItIsAndAnotherSeedMovesSome() {
    SplitShares splits = SplitShares.of(List.of("a=0.5", "b=0.5"));
    assertThat(splits.of(42, "q1")).isEqualTo(splits.of(42, "q1"));
    long moved =
        IntStream.range(0, 1000)
            .filter(i -> !splits.of(1, "q" + i).equals(splits.of(2, "q" + i)))
            .count();
    assertThat(moved).isBetween(400L, 600L);
  }

  /** printf 'split:42:q1' | sha256sum. */
  @Test
  void aPlaceIsTheHeadOfASha256() {
    assertThat(Long.toHexString(HashDraw.place("split", 42, "q1"))).isEqualTo("22f92ddaae665b6c");
  }

  @Test
  void theLastPlaceIsInTheLastSplit() {
    SplitShares thirds = SplitShares.of(List.of("a=0.333333", "b=0.333333", "c=0.333334"));
    for (int i = 0; i < 1000; i++) {
      assertThat(thirds.names()).contains(thirds.of(0, "g" + i));
    }
  }

  @Test
  void saysAllThatIsWrong() {
    assertThat(SplitShares.violations(List.of())).isEmpty();
    assertThat(SplitShares.violations(List.of("train", "a b=1", "x=0", "y=.", "z=-1")))
        .containsExactly(
            "Option --split: expected NAME=SHARE such as train=0.9, found 'train'",
            "Option --split: expected NAME=SHARE such as train=0.9, found 'a b=1'",
            "Option --split: expected a share over 0, found 'x=0'",
            "Option --split: expected NAME=SHARE such as train=0.9, found 'y=.'",
            "Option --split: expected NAME=SHARE such as train=0.9, found 'z=-1'");
    assertThat(SplitShares.violations(List.of("a=0.5", "a=0.5")))
        .containsExactly("Option --split: 'a' stands twice");
    assertThat(SplitShares.violations(List.of("a=0.5", "b=0.4")))
        .containsExactly(
            "Option --split: expected shares with the sum 1, found 0.9 of [a=0.5, b=0.4]");
    assertThatThrownBy(() -> SplitShares.of(List.of("a=0.5")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("the sum 1");
  }
}
