package dev.distillery.jobs.rate;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.jobs.rate.RatingItem.Answer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AssignmentsTest {
  static RatingItem item(String id, boolean test) {
    return new RatingItem(
        id,
        "row " + id,
        RateForm.PAIRWISE,
        "?",
        null,
        null,
        List.of(new Answer("x", "m", "a"), new Answer("y", "n", "b")),
        test ? "1" : null,
        "s",
        "CC0-1.0");
  }

  private static List<RatingItem> items(int count, int tests) {
    List<RatingItem> items = new ArrayList<>();
    for (int i = 0; i < count + tests; i++) {
      items.add(item("i" + i, i >= count));
    }
    return items;
  }

  /** Any order of looking, voting, voting again and walking away. */
  @Property(tries = 200)
  void eachItemGetsItsRatingsAndNoMore(
      @ForAll @IntRange(min = 1, max = 12) int count,
      @ForAll @IntRange(min = 1, max = 6) int raters,
      @ForAll @IntRange(max = 2) int tests,
      @ForAll long seed) {
    var random = new Random(seed);
    int each = 1 + random.nextInt(raters);
    long[] now = {0};
    var assignments = new Assignments(items(count, tests), each, () -> now[0]);
    Map<String, Set<String>> votes = new HashMap<>();
    Map<String, String> shown = new HashMap<>();
    for (int step = 0; step < 400; step++) {
      String rater = "r" + random.nextInt(raters);
      if (shown.containsKey(rater) && random.nextBoolean()) {
        String item = shown.get(rater);
        assignments.voted(item, rater);
        if (random.nextInt(4) == 0) {
          assignments.voted(item, rater);
        }
        votes.computeIfAbsent(item, x -> new HashSet<>()).add(rater);
        shown.remove(rater);
      } else {
        var next = assignments.next(rater);
        next.item()
            .ifPresent(
                item -> {
                  assertThat(votes.getOrDefault(item.id(), Set.of())).doesNotContain(rater);
                  if (shown.containsKey(rater)) {
                    assertThat(item.id())
                        .as("what is out with a rater")
                        .isEqualTo(shown.get(rater));
                  }
                  shown.put(rater, item.id());
                });
      }
    }
    // Who walked away holds nothing for ever.
    now[0] += Assignments.LEASE_MILLIS;
    for (int r = 0; r < raters; r++) {
      String rater = "r" + r;
      for (var next = assignments.next(rater);
          next.item().isPresent();
          next = assignments.next(rater)) {
        assignments.voted(next.item().get().id(), rater);
        votes.computeIfAbsent(next.item().get().id(), x -> new HashSet<>()).add(rater);
      }
    }
    assertThat(assignments.open()).isZero();
    for (int i = 0; i < count; i++) {
      assertThat(votes.get("i" + i)).as("item i" + i).hasSize(each);
    }
    for (int i = count; i < count + tests; i++) {
      assertThat(votes.get("i" + i)).as("every rater is tested").hasSize(raters);
    }
  }

  @Test
  void allItemsAreRatedOnceBeforeOneIsRatedTwice() {
    var assignments = new Assignments(items(5, 0), 3, () -> 0);
    Set<String> first = new HashSet<>();
    for (int r = 0; r < 5; r++) {
      first.add(assignments.next("r" + r).item().orElseThrow().id());
    }
    assertThat(first).hasSize(5);
    assertThat(assignments.next("r0").total()).isEqualTo(5);
  }

  @Test
  void anItemThatIsOutComesBackAfterItsLease() {
    long[] now = {0};
    var assignments = new Assignments(items(1, 0), 1, () -> now[0]);
    assertThat(assignments.next("ann").item()).isPresent();
    assertThat(assignments.next("ben").item()).isEmpty();
    assertThat(assignments.next("ben").waiting()).isTrue();
    assertThat(assignments.next("ann").waiting()).isFalse();
    now[0] = Assignments.LEASE_MILLIS;
    assertThat(assignments.next("ben").item()).isPresent();
    assignments.voted("i0", "ben");
    assertThat(assignments.next("ann").waiting()).as("nothing is left").isFalse();
  }
}
