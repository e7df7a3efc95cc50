package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class RowOrderTest {
  private static long[] epoch(RowOrder order, long epoch) {
    return LongStream.range(0, order.rows()).map(place -> order.row(epoch, place)).toArray();
  }

  @Test
  void everyEpochHasEveryRowOnce() {
    for (long rows : new long[] {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 4097}) {
      long[] order = epoch(new RowOrder(rows, 7, true), 2);
      Arrays.sort(order);
      assertThat(order).isEqualTo(LongStream.range(0, rows).toArray());
    }
  }

  @Test
  void epochsAndSeedsHaveOrdersOfTheirOwn() {
    var order = new RowOrder(1000, 7, true);
    assertThat(epoch(order, 0)).isEqualTo(epoch(order, 0)).isNotEqualTo(epoch(order, 1));
    assertThat(epoch(new RowOrder(1000, 8, true), 0)).isNotEqualTo(epoch(order, 0));
    assertThat(epoch(new RowOrder(5, 7, false), 3)).containsExactly(0, 1, 2, 3, 4);
  }

  /** Over many epochs a row stands in the first half as often as in the second. */
  @Test
  void placesAreSpreadEvenly() {
    var order = new RowOrder(100, 3, true);
    int first = 0;
    for (int epoch = 0; epoch < 2000; epoch++) {
      first += order.row(epoch, 0) < 50 ? 1 : 0;
    }
    // 1000, give or take five standard deviations.
    assertThat(first).isBetween(888, 1112);
  }

  @Test
  void billionsOfRowsNeedNoArray() {
    var order = new RowOrder(1L << 40, 3, true);
    assertThat(order.row(0, 12345)).isBetween(0L, (1L << 40) - 1).isNotEqualTo(12345);
  }

  @Test
  void theLastStepOfAnEpochHasWhatIsLeft() {
    var steps = new StepOrder(new RowOrder(23, 1, false), 2, 5);
    assertThat(steps.stepsPerEpoch()).isEqualTo(3);
    assertThat(steps.microBatches(2)).containsExactly(new long[] {20, 21}, new long[] {22});
    assertThat(steps.microBatches(3)).hasSize(5).first().isEqualTo(new long[] {0, 1});
    assertThat(steps.epoch(3)).isEqualTo(1);
  }
}
