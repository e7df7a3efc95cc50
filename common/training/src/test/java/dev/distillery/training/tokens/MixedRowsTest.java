package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link MixedRows} and {@link Permutation}. */
class MixedRowsTest {
  /** Rows whose one id says which they are. */
  private record Numbered(int first, long size) implements TokenRows {
    @Override
    public TokenSequence row(long index) {
      return new TokenSequence(new int[] {first + (int) index}, new float[] {0}, new int[] {0});
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aWeightIsPassesInAnEpoch(boolean shuffled) {
    TokenRows rows =
        MixedRows.of(
            List.of(
                new MixedRows.Input(new Numbered(0, 10), new BigDecimal("0.5")),
                new MixedRows.Input(new Numbered(100, 3), new BigDecimal("2"))),
            7,
            shuffled);

    assertThat(rows.size()).isEqualTo(11);
    List<Integer> seen = new ArrayList<>(ids(rows.epoch(0)));
    seen.addAll(ids(rows.epoch(1)));
    for (int row = 0; row < 10; row++) {
      assertThat(seen).as("row %d of the first input", row).containsOnlyOnce(row);
    }
    for (int row = 100; row < 103; row++) {
      int wanted = row;
      assertThat(seen.stream().filter(id -> id == wanted).count()).isEqualTo(4);
    }
  }

  @Test
  void aHalfOfAnOddNumberIsRoundedUpAndGoesOnWhereItStopped() {
    TokenRows rows =
        MixedRows.of(
            List.of(new MixedRows.Input(new Numbered(0, 3), new BigDecimal("0.5"))), 7, false);

    assertThat(ids(rows.epoch(0))).containsExactly(0, 1);
    assertThat(ids(rows.epoch(1))).containsExactly(2, 0);
    assertThat(ids(rows.epoch(2))).containsExactly(1, 2);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 16, 17, 1000})
  void aPermutationTakesEachPlaceOnce(long size) {
    var seen = new HashSet<Long>();
    LongStream.range(0, size).forEach(place -> seen.add(Permutation.at(place, size, 42)));

    assertThat(seen).hasSize((int) size).allMatch(value -> value >= 0 && value < size);
    if (size == 1000) {
      assertThat(LongStream.range(0, size).filter(i -> Permutation.at(i, size, 42) == i).count())
          .as("places that stay where they are")
          .isLessThan(10);
    }
  }

  private static List<Integer> ids(TokenRows rows) {
    return LongStream.range(0, rows.size()).mapToObj(i -> rows.row(i).ids()[0]).toList();
  }
}
