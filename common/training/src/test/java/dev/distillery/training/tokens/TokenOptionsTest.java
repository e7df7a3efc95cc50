package dev.distillery.training.tokens;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsKit;
import dev.distillery.spark.warehouse.WeightedRef;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** {@link TokenOptions} and {@link WeightedRef}. */
class TokenOptionsTest {
  @Test
  void everyOptionHasItsDefaultAndArrives() {
    OptionsKit.of(TokenOptions.class)
        .defaults(
            """
            input (required)
            eval-input (none)
            max-length (none)
            packing (none)
            over-length (none)
            """)
        .arrive(
            """
            input a.jsonl=2
            eval-input b.jsonl
            max-length 12
            packing isolated
            over-length reject
            """);
  }

  @Test
  void aWeightStandsBehindTheLastSignBeforeAPlainNumber() {
    assertThat(WeightedRef.parse("instructions"))
        .isEqualTo(new WeightedRef("instructions", BigDecimal.ONE));
    assertThat(WeightedRef.parse("a.jsonl=0.5"))
        .isEqualTo(new WeightedRef("a.jsonl", new BigDecimal("0.5")));
    assertThat(WeightedRef.parse("data/x=3=1"))
        .isEqualTo(new WeightedRef("data/x=3", BigDecimal.ONE));
    assertThat(WeightedRef.parse("data/day=monday/*.jsonl").ref())
        .isEqualTo("data/day=monday/*.jsonl");
    assertThatThrownBy(() -> WeightedRef.parse("a.jsonl=0"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("a weight over 0");
  }

  @Test
  void aLengthBeyondTheContextIsRefused() {
    TokenOptions given =
        new TokenOptions(
            List.of("a"), List.of(), Optional.of(65), Optional.empty(), Optional.empty());

    assertThat(given.length(65)).isEqualTo(65);
    assertThatThrownBy(() -> given.length(64))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("a context of 64 tokens, found 65");
  }
}
