package dev.distillery.core.rating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.rating.LengthControlled.Item;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

class LengthControlledTest {
  private static OptionalDouble number(JsonNode node) {
    return node.isNumber() ? OptionalDouble.of(node.doubleValue()) : OptionalDouble.empty();
  }

  private static List<Item> items(JsonNode row) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < row.get("lengths").size(); i++) {
      JsonNode lengths = row.get("lengths").get(i);
      items.add(
          new Item(
              number(row.get("preference").get(i)),
              lengths.get(0).longValue(),
              lengths.get(1).longValue(),
              number(row.get("difficulty").path(i))));
    }
    return items;
  }

  @Test
  void theFitIsThatOfScikitLearn() throws IOException {
    JsonNode rows = RatingGolden.rows("length_controlled");
    assertThat(rows.size()).isEqualTo(6);
    for (JsonNode row : rows) {
      LengthControlled fit = LengthControlled.fit(items(row)).orElseThrow();
      assertThat(fit.c()).isCloseTo(row.get("c").doubleValue(), within(1e-9));
      List<Double> weights = RatingGolden.numbers(row.get("weights"));
      assertThat(fit.weights()).hasSameSizeAs(weights);
      for (int j = 0; j < weights.size(); j++) {
        assertThat(fit.weights().get(j)).isCloseTo(weights.get(j), within(1e-5));
      }
      assertThat(fit.winRate()).isCloseTo(row.get("win_rate").doubleValue(), within(1e-6));
      if (row.get("difficulty").isNull()) {
        assertThat(fit.standardError()).isEmpty();
      } else {
        assertThat(fit.standardError().orElseThrow())
            .isCloseTo(row.get("standard_error").doubleValue(), within(1e-6));
      }
    }
  }

  private static Item item(double preference, long baseline, long model) {
    return new Item(OptionalDouble.of(preference), baseline, model, OptionalDouble.empty());
  }

  @Test
  void answersOfOneLengthLeaveTheRateAlone() {
    List<Item> items = new ArrayList<>(Collections.nCopies(300, item(1, 10, 10)));
    items.addAll(Collections.nCopies(100, item(0, 10, 10)));
    Collections.shuffle(items, new java.util.Random(1));
    LengthControlled fit = LengthControlled.fit(items).orElseThrow();
    assertThat(fit.weights().get(0)).isZero();
    assertThat(fit.winRate()).isCloseTo(0.75, within(0.01));
  }

  @Test
  void oneSidedVotesStayFinite() {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      items.add(item(1, i, 3L * i));
    }
    LengthControlled fit = LengthControlled.fit(items).orElseThrow();
    assertThat(fit.winRate()).isBetween(0.5, 1.0);
    assertThat(fit.weights()).allMatch(Double::isFinite);
  }

  @Test
  void fewerThanFivePreferencesGiveNoFit() {
    List<Item> four = Collections.nCopies(4, item(1, 5, 6));
    assertThat(LengthControlled.fit(four)).isEmpty();
    assertThat(LengthControlled.fit(List.of())).isEmpty();
  }

  @Test
  void whatIsNoPreferenceIsRefused() {
    assertThatThrownBy(() -> item(1.5, 1, 1)).hasMessage("Preference: expected 0 to 1, found 1.5.");
    var hard = new Item(OptionalDouble.of(1), 1, 1, OptionalDouble.of(0.5));
    assertThatThrownBy(() -> LengthControlled.fit(List.of(hard, item(1, 1, 1))))
        .hasMessage("Difficulties: expected one of every item or of none, found some missing.");
    assertThatThrownBy(() -> new Item(OptionalDouble.of(1), 1, 1, OptionalDouble.of(Double.NaN)))
        .hasMessage("Difficulty: expected a finite number, found NaN.");
  }

  @Test
  void aDifficultyThatIsTheSameEverywhereChangesNothing() {
    List<Item> plain = new ArrayList<>();
    List<Item> equallyHard = new ArrayList<>();
    for (int i = 0; i < 22; i++) {
      var preference = OptionalDouble.of(i < 2 ? 0.5 : i % 3 == 0 ? 0 : 1);
      plain.add(new Item(preference, 12, 10 + i, OptionalDouble.empty()));
      equallyHard.add(new Item(preference, 12, 10 + i, OptionalDouble.of(-0.5)));
    }
    // The constant does the same for half the weight, so the penalty leaves it all to the constant.
    assertThat(LengthControlled.fit(equallyHard).orElseThrow().winRate())
        .isCloseTo(LengthControlled.fit(plain).orElseThrow().winRate(), within(1e-4));
  }
}
