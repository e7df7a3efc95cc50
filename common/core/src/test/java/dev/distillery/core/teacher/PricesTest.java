package dev.distillery.core.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigDecimal;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PricesTest {
  private static final Price MINI =
      new Price(new BigDecimal("0.15"), new BigDecimal("0.075"), new BigDecimal("0.60"));

  @Test
  void packagedPricesAreReadExactly() {
    assertThat(Prices.packaged().of(TeacherKind.OPENAI, "gpt-4o-mini")).contains(MINI);
    assertThat(
            Prices.packaged().of(TeacherKind.OPENAI, "gpt-3.5-turbo").orElseThrow().cachedInput())
        .isEqualByComparingTo("0.5");
  }

  @Test
  void datedNameHasThePriceOfThePlainOne() {
    assertThat(Prices.packaged().of(TeacherKind.OPENAI, "gpt-4o-mini-2024-07-18")).contains(MINI);
    assertThat(Prices.packaged().of(TeacherKind.OPENAI, "gpt-4o-mini-audio")).isEmpty();
  }

  @Test
  void whatRunsHereIsFreeAndWhatIsNotListedHasNoPrice() {
    assertThat(Prices.packaged().of(TeacherKind.GGUF, "any.gguf")).contains(Price.FREE);
    assertThat(Prices.packaged().of(TeacherKind.OPENAI, "my-own-model")).isEmpty();
  }

  @Test
  void costIsExactAndCachedTokensHaveTheirOwnPrice() {
    // 1,000,000 - 400,000 at 0.15, 400,000 at 0.075, 2,000,000 at 0.60.
    assertThat(MINI.costUsd(1_000_000, 400_000, 2_000_000)).isEqualByComparingTo("1.32");
    assertThat(MINI.costUsd(1, 0, 0)).isEqualByComparingTo("0.00000015");
    assertThat(new Price(new BigDecimal("0.0001"), BigDecimal.ZERO).costUsd(1, 1, 9))
        .isEqualByComparingTo("1e-10");
  }

  @Test
  void whatAServerDoesNotTellCostsNothingAndCachedNeverExceedsAll() {
    assertThat(MINI.costUsd(-1, 0, -1)).isEqualByComparingTo("0");
    assertThat(MINI.costUsd(10, 50, 0)).isEqualByComparingTo("0.00000075");
  }

  @Test
  void ownPricesGoOverThePackaged() {
    Prices own =
        Prices.parse(
            "models:\n  gpt-4o-mini: {input: 1, output: 2}\n  m: {input: 0, output: 0}",
            "own.yaml");
    Prices all = Prices.packaged().with(own).with("x", Price.FREE);

    assertThat(
            all.of(TeacherKind.OPENAI, "gpt-4o-mini")
                .orElseThrow()
                .costUsd(1_000_000, 0, 1_000_000))
        .isEqualByComparingTo("3");
    assertThat(all.of(TeacherKind.OPENAI, "m").orElseThrow().costUsd(5, 0, 5))
        .isEqualByComparingTo("0");
    assertThat(all.of(TeacherKind.OPENAI, "x")).contains(Price.FREE);
    assertThat(all.of(TeacherKind.OPENAI, "gpt-4o")).isPresent();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "models: {m: {input: -1, output: 2}} | p.yaml, model 'm': 'input' is US dollars per million tokens, 0 or more, found -1",
        "models: {m: {input: 1}} | p.yaml, model 'm': 'output' is US dollars per million tokens, 0 or more, found nothing",
        "models: {m: {input: 1, output: 2, cache: 1}} | p.yaml, model 'm': unknown field 'cache'; known: input, cached_input, output",
        "prices: {} | p.yaml has no 'models'; write models: {NAME: {input: 0.15, output: 0.60}}",
      })
  void badFilesAreRefusedByModelAndField(String yaml, String message) {
    assertThatThrownBy(() -> Prices.parse(yaml, "p.yaml"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void alpacasPublishedCostIsLessThanACent() {
    assertThat(Prices.ALPACA_USD_PER_INSTRUCTION.multiply(new BigDecimal(52_002)))
        .isBetween(new BigDecimal("499.99"), new BigDecimal("500.01"));
  }
}
