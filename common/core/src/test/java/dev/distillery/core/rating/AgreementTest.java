package dev.distillery.core.rating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.rating.Agreement.Level;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class AgreementTest {
  private static List<String> categories(int count) {
    return IntStream.range(0, count).mapToObj(Integer::toString).toList();
  }

  private static Agreement of(List<String> categories, List<List<String>> items) {
    var agreement = new Agreement(categories);
    items.forEach(agreement::add);
    return agreement;
  }

  private static List<List<String>> items(JsonNode ratings) {
    List<List<String>> items = new ArrayList<>();
    for (JsonNode cells : ratings) {
      List<String> labels = new ArrayList<>();
      cells.forEach(
          cell -> {
            if (!cell.isNull()) {
              labels.add(cell.asText());
            }
          });
      items.add(labels);
    }
    return items;
  }

  @Test
  void figuresAreThoseOfKrippendorffStatsmodelsAndScikitLearn() throws IOException {
    int complete = 0;
    int incomplete = 0;
    for (JsonNode row : RatingGolden.rows("agreement")) {
      List<String> categories = categories(row.get("categories").intValue());
      List<List<String>> items = items(row.get("ratings"));
      Agreement agreement = of(categories, items);
      for (Level level : Level.values()) {
        assertThat(agreement.krippendorffAlpha(level).orElseThrow())
            .isCloseTo(row.get(level.name().toLowerCase(Locale.ROOT)).doubleValue(), within(1e-10));
      }
      if (row.has("fleiss")) {
        complete++;
        long[][] table = new long[categories.size()][categories.size()];
        items.forEach(
            labels -> table[Integer.parseInt(labels.get(0))][Integer.parseInt(labels.get(1))]++);
        assertThat(agreement.fleissKappa().orElseThrow())
            .isCloseTo(row.get("fleiss").doubleValue(), within(1e-10));
        assertThat(Agreement.cohenKappa(table).orElseThrow())
            .isCloseTo(row.get("cohen").doubleValue(), within(1e-10));
        Interval interval = Agreement.cohenKappaInterval(table).orElseThrow();
        assertThat(interval.low().orElseThrow())
            .isCloseTo(row.get("cohen_low").doubleValue(), within(1e-10));
        assertThat(interval.high().orElseThrow())
            .isCloseTo(row.get("cohen_high").doubleValue(), within(1e-10));
      } else {
        incomplete++;
        assertThat(agreement.fleissKappa()).isEmpty();
      }
    }
    assertThat(complete).isEqualTo(3);
    assertThat(incomplete).isEqualTo(2);
  }

  @Test
  void partsMergeToTheSameBitsInAnyOrder() throws IOException {
    JsonNode row = RatingGolden.rows("agreement").get(3);
    List<String> categories = categories(row.get("categories").intValue());
    List<List<String>> items = items(row.get("ratings"));
    var parts = new ArrayList<Agreement>();
    for (int i = 0; i < 7; i++) {
      parts.add(new Agreement(categories));
    }
    for (int i = 0; i < items.size(); i++) {
      parts.get(i * i % 7).add(items.get(i));
    }
    var merged = new Agreement(categories);
    for (int i = 6; i >= 0; i--) {
      merged.merge(parts.get(i));
    }
    Agreement whole = of(categories, items);
    assertThat(merged.rawAgreement()).isEqualTo(whole.rawAgreement());
    for (Level level : Level.values()) {
      assertThat(merged.krippendorffAlpha(level)).isEqualTo(whole.krippendorffAlpha(level));
    }
  }

  @Test
  void oneLabelForAllIsUndefinedButAgreed() {
    Agreement same = of(List.of("a", "b"), List.of(List.of("a", "a", "a"), List.of("a", "a", "a")));
    assertThat(same.rawAgreement()).hasValue(1);
    assertThat(same.fleissKappa()).isEmpty();
    for (Level level : List.of(Level.NOMINAL, Level.ORDINAL)) {
      assertThat(same.krippendorffAlpha(level)).isEmpty();
    }
    assertThat(Agreement.cohenKappa(new long[][] {{5, 0}, {0, 0}})).isEmpty();
    assertThat(Agreement.cohenKappaInterval(new long[][] {{5, 0}, {0, 0}})).isEmpty();
  }

  @Test
  void agreementOnDifferentLabelsIsOne() {
    Agreement perfect = of(List.of("a", "b"), List.of(List.of("a", "a"), List.of("b", "b")));
    assertThat(perfect.rawAgreement()).hasValue(1);
    assertThat(perfect.fleissKappa()).hasValue(1);
    assertThat(perfect.krippendorffAlpha(Level.NOMINAL)).hasValue(1);
    assertThat(Agreement.cohenKappa(new long[][] {{1, 0}, {0, 1}})).hasValue(1);
    assertThat(Agreement.cohenKappa(new long[][] {{0, 1}, {1, 0}})).hasValue(-1);
  }

  @Test
  void oneRaterSaysNothingOfAgreement() {
    Agreement alone = of(List.of("1", "2"), List.of(List.of("1"), List.of("2"), List.of("1")));
    assertThat(alone.rawAgreement()).isEmpty();
    assertThat(alone.fleissKappa()).isEmpty();
    for (Level level : Level.values()) {
      assertThat(alone.krippendorffAlpha(level)).isEmpty();
    }
  }

  @Test
  void noItemsSayNothing() {
    var none = new Agreement(List.of("a", "b"));
    assertThat(none.rawAgreement()).isEmpty();
    assertThat(none.fleissKappa()).isEmpty();
    assertThat(none.krippendorffAlpha(Level.NOMINAL)).isEmpty();
    assertThat(Agreement.cohenKappa(new long[2][2])).isEmpty();
  }

  @Test
  void whatDoesNotFitIsRefusedByName() {
    var agreement = new Agreement(List.of("a", "b"));
    assertThatThrownBy(() -> agreement.add(List.of("a", "c")))
        .hasMessage("Label 'c': expected one of a, b.");
    assertThatThrownBy(() -> agreement.krippendorffAlpha(Level.INTERVAL))
        .hasMessageStartingWith("Category 'b': expected a number");
    assertThatThrownBy(() -> new Agreement(List.of("1", "NaN")).krippendorffAlpha(Level.INTERVAL))
        .hasMessageStartingWith("Category 'NaN': expected a number");
    assertThatThrownBy(() -> agreement.merge(new Agreement(List.of("b", "a"))))
        .hasMessage("Categories: expected [a, b], found [b, a].");
    assertThatThrownBy(() -> new Agreement(List.of("a", "a")))
        .hasMessage("Category 'a' is given twice.");
    assertThatThrownBy(() -> Agreement.cohenKappa(new long[][] {{1, 2}, {3}}))
        .hasMessage("Row 1 of a table of two raters: expected 2 labels, found 1.");
  }
}
