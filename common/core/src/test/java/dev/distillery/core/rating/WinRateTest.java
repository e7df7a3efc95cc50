package dev.distillery.core.rating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class WinRateTest {
  private static void same(OptionalDouble found, JsonNode expected) {
    assertThat(found.isEmpty()).isEqualTo(expected.isNull());
    found.ifPresent(value -> assertThat(value / expected.doubleValue()).isCloseTo(1, within(1e-9)));
  }

  @Test
  void figuresAreThoseOfScipyAndStatsmodels() throws IOException {
    JsonNode rows = RatingGolden.rows("win_rates");
    assertThat(rows.size()).isEqualTo(8);
    for (JsonNode row : rows) {
      var rate =
          new WinRate(
              row.get("wins").longValue(),
              row.get("ties").longValue(),
              row.get("losses").longValue());
      Interval exact = rate.exactInterval().orElseThrow();
      assertThat(rate.adjustedRate().orElseThrow())
          .isCloseTo(row.get("adjusted").doubleValue(), within(1e-12));
      assertThat(exact.low().orElseThrow()).isCloseTo(row.get("low").doubleValue(), within(1e-10));
      assertThat(exact.high().orElseThrow())
          .isCloseTo(row.get("high").doubleValue(), within(1e-10));
      same(rate.signTest(), row.get("sign_p"));
      if (row.get("standard_error").doubleValue() == 0) {
        assertThat(rate.standardError().orElse(0)).isZero();
      } else {
        same(rate.standardError(), row.get("standard_error"));
      }
      if (row.has("bootstrap")) {
        // Quantiles of a thousand draws spread by a twelfth of the standard error, in steps of 1/n.
        var near = within(0.2 * rate.standardError().orElseThrow() + 1.0 / rate.votes());
        Interval drawn = rate.bootstrapInterval(42, WinRate.RESAMPLES).orElseThrow();
        assertThat(drawn.low().orElseThrow())
            .isCloseTo(row.get("bootstrap").get(0).doubleValue(), near);
        assertThat(drawn.high().orElseThrow())
            .isCloseTo(row.get("bootstrap").get(1).doubleValue(), near);
      }
    }
  }

  @Test
  void withoutVotesNothingIsSaid() {
    var none = new WinRate(0, 0, 0);
    assertThat(none.rate()).isEmpty();
    assertThat(none.adjustedRate()).isEmpty();
    assertThat(none.exactInterval()).isEmpty();
    assertThat(none.signTest()).isEmpty();
    assertThat(none.standardError()).isEmpty();
    assertThat(none.bootstrapInterval(1, 10)).isEmpty();
  }

  @Test
  void oneVoteHasNoStandardError() {
    var one = new WinRate(1, 0, 0);
    assertThat(one.rate()).hasValue(1);
    assertThat(one.standardError()).isEmpty();
    assertThat(one.signTest()).hasValue(1);
    assertThat(one.bootstrapInterval(1, 10)).hasValue(Interval.of(1, 1));
  }

  @Test
  void tiesAloneAreHalf() {
    var ties = new WinRate(0, 4, 0);
    assertThat(ties.rate()).hasValue(0);
    assertThat(ties.adjustedRate()).hasValue(0.5);
    assertThat(ties.signTest()).isEmpty();
    assertThat(ties.standardError()).hasValue(0);
    assertThat(ties.bootstrapInterval(1, 10)).hasValue(Interval.of(0.5, 0.5));
  }

  @Test
  void theBootstrapIsAFunctionOfItsSeed() {
    var rate = new WinRate(12, 5, 9);
    assertThat(rate.bootstrapInterval(3, 200)).isEqualTo(rate.bootstrapInterval(3, 200));
    assertThat(rate.bootstrapInterval(4, 200)).isNotEqualTo(rate.bootstrapInterval(3, 200));
  }

  @Test
  void aMillionVotesAreCountedExactly() {
    Interval exact = new WinRate(500_500, 0, 499_500).exactInterval().orElseThrow();
    // The normal approximation is right to 1e-6 here.
    assertThat(exact.low().orElseThrow()).isCloseTo(0.5005 - 0.00098, within(2e-6));
    assertThat(exact.high().orElseThrow()).isCloseTo(0.5005 + 0.00098, within(2e-6));
  }

  @Test
  void whatIsNoCountIsRefused() {
    assertThatThrownBy(() -> new WinRate(3, -1, 2))
        .hasMessage("Votes: expected 0 or more of each, found 3 wins, -1 ties, 2 losses.");
    assertThatThrownBy(() -> new WinRate(1, 0, 0).bootstrapInterval(1, 0))
        .hasMessage("Resamples: expected 1 or more, found 0.");
  }
}
