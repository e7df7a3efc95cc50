package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class BleuTest {
  @Test
  void setsOfAnswersScoreAsBySacrebleu() throws IOException {
    JsonNode sets = Golden.answers().path("bleu");
    assertThat(sets).hasSizeGreaterThan(40);
    for (JsonNode each : sets) {
      List<String> answers = Golden.strings(each.path("answers"));
      List<Bleu.Counts> counts = new ArrayList<>();
      for (int i = 0; i < answers.size(); i++) {
        counts.add(Bleu.counts(answers.get(i), Golden.strings(each.path("references").path(i))));
      }
      Bleu.Counts sums =
          new Bleu.Counts(
              sums(counts, Bleu.Counts::correct),
              sums(counts, Bleu.Counts::total),
              counts.stream().mapToLong(Bleu.Counts::length).sum(),
              counts.stream().mapToLong(Bleu.Counts::reference).sum());
      assertThat(sums.correct()).as("%s", each).isEqualTo(longs(each.path("counts")));
      assertThat(sums.total()).as("%s", each).isEqualTo(longs(each.path("totals")));
      assertThat(sums.length()).as("%s", each).isEqualTo(each.path("length").longValue());
      assertThat(sums.reference()).as("%s", each).isEqualTo(each.path("reference").longValue());
      assertThat(Bleu.score(sums))
          .as("%s", each)
          .isCloseTo(each.path("score").doubleValue(), within(1e-9));
    }
  }

  private static List<Long> sums(
      List<Bleu.Counts> counts, Function<Bleu.Counts, List<Long>> orders) {
    return IntStream.range(0, Bleu.ORDERS)
        .mapToObj(order -> counts.stream().mapToLong(each -> orders.apply(each).get(order)).sum())
        .toList();
  }

  private static List<Long> longs(JsonNode array) {
    List<Long> longs = new ArrayList<>();
    array.forEach(node -> longs.add(node.longValue()));
    return longs;
  }
}
