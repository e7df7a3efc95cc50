package dev.distillery.jobs.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class DrawsTest {
  @Property(seed = "20260801")
  void aSampleHasDifferentNumbersBelowTheBound(
      @ForAll long seed,
      @ForAll @IntRange(min = 0, max = 300) int bound,
      @ForAll @IntRange(min = 0, max = 20) int count) {
    List<Integer> sample = new Draws(seed, 3, 5).sample(bound, count);
    assertThat(sample)
        .hasSize(Math.min(bound, count))
        .doesNotHaveDuplicates()
        .allMatch(i -> i >= 0 && i < bound)
        .isEqualTo(new Draws(seed, 3, 5).sample(bound, count));
  }

  @Property(tries = 50, seed = "20260801")
  void everyNumberIsDrawnAboutAsOften(@ForAll long seed) {
    int[] hits = new int[10];
    for (int slot = 0; slot < 2000; slot++) {
      new Draws(seed, 0, slot).sample(10, 3).forEach(i -> hits[i]++);
    }
    // 600 expected of each; the standard deviation is 20.5.
    assertThat(hits).doesNotContain(0);
    for (int hit : hits) {
      assertThat(hit).isBetween(480, 720);
    }
  }
}
