package dev.distillery.core.rating;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.rating.BradleyTerry.Fit;
import dev.distillery.core.rating.BradleyTerry.Rating;
import dev.distillery.core.rating.BradleyTerry.Scale;
import dev.distillery.core.rating.BradleyTerry.Standing;
import dev.distillery.core.rating.BradleyTerry.Votes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class BradleyTerryTest {
  /** x beat y five times and z four; y and z are even; p and q met only each other. */
  private static final List<Votes> WITHOUT_END =
      List.of(
          new Votes("x", "y", 5, 0, 0),
          new Votes("x", "z", 4, 0, 0),
          new Votes("y", "z", 2, 0, 2),
          new Votes("p", "q", 1, 0, 1));

  private static Fit logits(Votes... votes) {
    return BradleyTerry.fit(List.of(votes), Scale.LOGIT, 0);
  }

  private static List<String> models(List<Rating> group) {
    return group.stream().map(Rating::model).toList();
  }

  private static Rating of(Fit fit, String model) {
    return fit.groups().stream()
        .flatMap(List::stream)
        .filter(rating -> rating.model().equals(model))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void ratingsAreThoseOfChoixAndIntervalsThoseOfStatsmodels() throws IOException {
    JsonNode rows = RatingGolden.rows("bradley_terry");
    assertThat(rows.size()).isEqualTo(5);
    for (JsonNode row : rows) {
      List<Votes> votes = new ArrayList<>();
      for (JsonNode pair : row.get("pairs")) {
        votes.add(
            new Votes(
                pair.get(0).asText(),
                pair.get(1).asText(),
                pair.get(2).longValue(),
                pair.get(3).longValue(),
                pair.get(4).longValue()));
      }
      Fit fit = BradleyTerry.fit(votes, Scale.LOGIT, 2 * row.get("prior").doubleValue());
      List<Double> expected = RatingGolden.numbers(row.get("ratings"));
      assertThat(fit.groups()).hasSize(1);
      assertThat(fit.groups().get(0)).hasSize(expected.size());
      for (int i = 0; i < expected.size(); i++) {
        Rating rating = of(fit, Integer.toString(i));
        assertThat(rating.rating().orElseThrow()).isCloseTo(expected.get(i), within(1e-7));
        assertThat(rating.interval().low().orElseThrow())
            .isCloseTo(row.get("low").get(i).doubleValue(), within(1e-6));
        assertThat(rating.interval().high().orElseThrow())
            .isCloseTo(row.get("high").get(i).doubleValue(), within(1e-6));
      }
      Collections.reverse(votes);
      assertThat(BradleyTerry.fit(votes, Scale.LOGIT, 2 * row.get("prior").doubleValue()))
          .isEqualTo(fit);
    }
  }

  @Test
  void whoNeverLostHasNoRatingAndAnIntervalOpenAbove() {
    Fit fit = BradleyTerry.fit(WITHOUT_END, Scale.LOGIT, 0);
    assertThat(fit.groups().stream().map(BradleyTerryTest::models))
        .containsExactly(List.of("x", "y", "z"), List.of("p", "q"));
    Rating x = of(fit, "x");
    assertThat(x.standing()).isEqualTo(Standing.NEVER_LOST);
    assertThat(x.standing().says()).isEqualTo("never lost: no finite rating");
    assertThat(x.rating()).isEmpty();
    assertThat(x.votes()).isEqualTo(new WinRate(9, 0, 0));
    assertThat(x.interval().high()).isEmpty();
    // Nine wins of nine against two of rating 0: chance^9 = 0.025.
    double chance = Math.pow(0.025, 1.0 / 9);
    assertThat(x.interval().low().orElseThrow())
        .isCloseTo(Math.log(chance / (1 - chance)), within(1e-9));
    for (String even : List.of("y", "z", "p", "q")) {
      assertThat(of(fit, even).standing()).isEqualTo(Standing.RATED);
      assertThat(of(fit, even).rating().orElseThrow()).isCloseTo(0, within(1e-12));
    }
    // Four votes at one half: information 1, so the difference has variance 1 and each side 1/4.
    assertThat(of(fit, "y").interval().high().orElseThrow()).isCloseTo(1.95996 / 2, within(1e-5));
  }

  @Test
  void aPriorRatesAllThatMetAndConnectsNoOthers() {
    Fit fit = BradleyTerry.fit(WITHOUT_END, Scale.LOGIT, 1);
    assertThat(fit.groups().get(0).stream().map(Rating::model)).startsWith("x").hasSize(3);
    assertThat(models(fit.groups().get(1))).containsExactly("p", "q");
    assertThat(of(fit, "x").standing()).isEqualTo(Standing.RATED);
    double up = of(fit, "x").rating().orElseThrow();
    double down = of(fit, "y").rating().orElseThrow();
    assertThat(up)
        .isGreaterThan(down)
        .isCloseTo(-down - of(fit, "z").rating().orElseThrow(), within(1e-9));
    // Where the likelihood ends: x won as often as its ratings let expect.
    double expected =
        6 / (1 + Math.exp(down - up))
            + 5 / (1 + Math.exp(of(fit, "z").rating().orElseThrow() - up));
    assertThat(expected).isCloseTo(9 + 2 * 0.5, within(1e-8));
    assertThat(of(fit, "x").votes()).isEqualTo(new WinRate(9, 0, 0));
  }

  @Test
  void whoNeverWonIsOpenBelow() {
    Fit fit = logits(new Votes("a", "b", 3, 1, 3), new Votes("a", "low", 2, 0, 0));
    Rating low = of(fit, "low");
    assertThat(low.standing()).isEqualTo(Standing.NEVER_WON);
    assertThat(low.interval().low()).isEmpty();
    assertThat(low.interval().high().orElseThrow())
        .isCloseTo(-Math.log(Math.sqrt(0.025) / (1 - Math.sqrt(0.025))), within(1e-9));
    assertThat(models(fit.groups().get(0))).containsExactly("a", "b", "low");
  }

  @Test
  void groupsOfWhichOneWonEveryVoteHaveNoNumberAgainstEachOther() {
    Fit fit =
        logits(
            new Votes("a1", "a2", 3, 0, 1),
            new Votes("b1", "b2", 3, 0, 1),
            new Votes("a1", "b1", 7, 0, 0),
            new Votes("a2", "b2", 7, 0, 0));
    assertThat(fit.groups().stream().map(BradleyTerryTest::models))
        .containsExactly(List.of("a1", "a2"), List.of("b1", "b2"));
    // Odds of 3 to 1 within each, whatever the other votes.
    assertThat(of(fit, "a1").rating().orElseThrow()).isCloseTo(Math.log(3) / 2, within(1e-9));
    assertThat(of(fit, "b1").rating().orElseThrow()).isCloseTo(Math.log(3) / 2, within(1e-9));
  }

  @Test
  void inAChainNobodyHasARating() {
    Fit fit = logits(new Votes("a", "b", 1, 0, 0), new Votes("b", "c", 1, 0, 0));
    assertThat(fit.groups()).hasSize(3);
    assertThat(of(fit, "a").standing()).isEqualTo(Standing.NEVER_LOST);
    assertThat(of(fit, "b").standing()).isEqualTo(Standing.ONE_SIDED);
    assertThat(of(fit, "c").standing()).isEqualTo(Standing.NEVER_WON);
    assertThat(fit.groups().stream().flatMap(List::stream))
        .allMatch(rating -> rating.rating().isEmpty() && rating.interval().equals(Interval.OPEN));
  }

  @Test
  void tiesAloneAreEqual() {
    Fit fit = logits(new Votes("a", "b", 0, 4, 0));
    assertThat(of(fit, "a").rating()).hasValue(0);
    assertThat(of(fit, "b").rating()).hasValue(0);
    assertThat(of(fit, "a").votes()).isEqualTo(new WinRate(0, 4, 0));
  }

  @Test
  void withoutVotesThereIsNoRating() {
    assertThat(BradleyTerry.fit(List.of(), Scale.ELO, 1).groups()).isEmpty();
    assertThat(of(logits(new Votes("a", "b", 0, 0, 0)), "a").standing())
        .isEqualTo(Standing.NO_VOTES);
  }

  @Test
  void fourHundredPointsOfEloAreTenToOne() {
    Fit fit = BradleyTerry.fit(List.of(new Votes("a", "b", 10, 0, 1)), Scale.ELO, 0);
    assertThat(of(fit, "a").rating().orElseThrow()).isCloseTo(1200, within(1e-6));
    assertThat(of(fit, "b").rating().orElseThrow()).isCloseTo(800, within(1e-6));
    assertThat(of(fit, "a").interval().low().orElseThrow()).isBetween(900.0, 1100.0);
  }

  @Test
  void aLongLadderOfLopsidedVotesStaysFinite() {
    List<Votes> ladder = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      ladder.add(new Votes("m" + i, "m" + (i + 1), 1_000_000_000_000L, 0, 1));
    }
    List<Rating> group = BradleyTerry.fit(ladder, Scale.LOGIT, 0).groups().get(0);
    assertThat(group).hasSize(61);
    for (int i = 0; i < 60; i++) {
      double step = group.get(i).rating().orElseThrow() - group.get(i + 1).rating().orElseThrow();
      assertThat(step).isCloseTo(Math.log(1e12), within(1e-6));
      assertThat(group.get(i).interval().high().orElseThrow()).isFinite();
    }
  }

  @Test
  void whatIsNoVoteIsRefused() {
    assertThatThrownBy(() -> new Votes("a", "a", 1, 0, 0))
        .hasMessage("Votes of 'a' against itself: expected two models.");
    assertThatThrownBy(() -> new Votes("a", "b", 1, 0, -2))
        .hasMessage("Votes of 'a' against 'b': expected 0 or more of each, found 1, 0 ties, -2.");
    assertThatThrownBy(() -> BradleyTerry.fit(List.of(), Scale.LOGIT, Double.NaN))
        .hasMessage("Prior votes: expected 0, or 0.001 to 1000000, found NaN.");
  }
}
