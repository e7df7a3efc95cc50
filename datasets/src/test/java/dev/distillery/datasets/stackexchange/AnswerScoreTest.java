package dev.distillery.datasets.stackexchange;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.license.Licenses;
import java.time.LocalDate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AnswerScoreTest {
  /** Values of Python's {@code round(math.log2(1 + votes))}. */
  @ParameterizedTest
  @CsvSource({"0,0", "1,1", "2,2", "4,2", "5,3", "10,3", "11,4", "45,6", "100,7", "1000000,20"})
  void isTheRoundedLogarithmAndOneMoreIfAccepted(long votes, int score) {
    assertThat(AnswerScore.of(votes, false, -1)).isEqualTo(score);
    assertThat(AnswerScore.of(votes, true, -1)).isEqualTo(score + 1);
  }

  @Test
  void isMinusOneBelowZeroVotes() {
    assertThat(AnswerScore.of(-3, false, 0)).isEqualTo(-1);
    assertThat(AnswerScore.of(-3, true, 0)).isEqualTo(0);
    assertThat(AnswerScore.of(-3, true, -1)).isEqualTo(-1);
  }

  @Test
  void aPostStandsUnderTheLicenseOfItsDay() {
    assertThat(Licenses.ofStackExchangePost(LocalDate.of(2011, 4, 7))).isEqualTo("CC-BY-SA-2.5");
    assertThat(Licenses.ofStackExchangePost(LocalDate.of(2011, 4, 8))).isEqualTo("CC-BY-SA-3.0");
    assertThat(Licenses.ofStackExchangePost(LocalDate.of(2018, 5, 2))).isEqualTo("CC-BY-SA-4.0");
  }
}
