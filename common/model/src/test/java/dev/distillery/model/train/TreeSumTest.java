package dev.distillery.model.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TreeSumTest {
  /** A block is written as its sum is grouped. */
  private static TreeSum<String> sum(int leaves) {
    return new TreeSum<>(leaves, (first, second) -> "(" + first + " " + second + ")");
  }

  @Test
  void groupsByHalvesOfWhatIsAPowerOfTwo() {
    assertThat(grouping(1)).isEqualTo("0");
    assertThat(grouping(2)).isEqualTo("(0 1)");
    assertThat(grouping(3)).isEqualTo("((0 1) 2)");
    assertThat(grouping(5)).isEqualTo("(((0 1) (2 3)) 4)");
    assertThat(grouping(7)).isEqualTo("(((0 1) (2 3)) ((4 5) 6))");
  }

  private static String grouping(int leaves) {
    TreeSum<String> sum = sum(leaves);
    for (int i = 0; i < leaves; i++) {
      sum.add(i, "" + i);
    }
    return sum.total().orElseThrow();
  }

  @Test
  void anyOrderAndAnyPartsGiveTheSameGrouping() {
    var random = new Random(1);
    for (int leaves = 1; leaves <= 33; leaves++) {
      for (int trial = 0; trial < 20; trial++) {
        int parts = 1 + random.nextInt(5);
        List<List<Integer>> held = new ArrayList<>();
        for (int p = 0; p < parts; p++) {
          held.add(new ArrayList<>());
        }
        for (int i = 0; i < leaves; i++) {
          held.get(random.nextInt(parts)).add(i);
        }
        List<TreeSum.Block<String>> blocks = new ArrayList<>();
        for (List<Integer> part : held) {
          Collections.shuffle(part, random);
          TreeSum<String> partial = sum(leaves);
          part.forEach(i -> partial.add(i, "" + i));
          blocks.addAll(partial.blocks());
        }
        Collections.shuffle(blocks, random);
        TreeSum<String> whole = sum(leaves);
        blocks.forEach(whole::add);
        assertThat(whole.total()).contains(grouping(leaves));
        assertThat(whole.blocks()).hasSize(1);
      }
    }
  }

  @Test
  void anAlignedBlockIsOnePartialSum() {
    TreeSum<String> sum = sum(16);
    for (int i = 4; i < 8; i++) {
      sum.add(i, "" + i);
    }
    assertThat(sum.blocks()).containsExactly(new TreeSum.Block<>(2, 1, "((4 5) (6 7))"));
    assertThat(sum.total()).isEmpty();
  }

  @Test
  void refusesALeafTwiceAndASumOfNothing() {
    TreeSum<String> sum = sum(4);
    sum.add(2, "2");
    assertThatThrownBy(() -> sum.add(2, "2")).hasMessageContaining("added twice");
    assertThatThrownBy(() -> sum(0)).hasMessageContaining("needs a leaf");
  }
}
