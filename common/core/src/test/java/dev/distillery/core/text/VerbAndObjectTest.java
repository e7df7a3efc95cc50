package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Against golden/verbs.json, which make_verb_goldens.py made by spaCy's parser. */
class VerbAndObjectTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final VerbAndObject.Finder finder = new VerbAndObject.Finder();

  /** Where a parser finds a verb with an object: how often both are found, and the verb alone. */
  private double[] agreement(JsonNode rows) {
    int pairs = 0;
    int same = 0;
    int verbs = 0;
    for (JsonNode row : rows) {
      if (row.path("parsed").path(1).isNull()) {
        continue;
      }
      pairs++;
      Optional<VerbAndObject> found = finder.of(row.path("instruction").asText());
      String verb = row.path("parsed").path(0).asText();
      boolean sameVerb = found.filter(each -> each.verb().equals(verb)).isPresent();
      verbs += sameVerb ? 1 : 0;
      if (sameVerb && found.get().object().equals(row.path("parsed").path(1).asText())) {
        same++;
      } else if (Boolean.getBoolean("verbs.show")) {
        System.out.println(row + " " + found);
      }
    }
    return new double[] {(double) same / pairs, (double) verbs / pairs, pairs};
  }

  private static void told(String rows, double[] agreement) {
    System.out.printf(
        "%s: %.0f pairs, both %.3f, verb %.3f%n", rows, agreement[2], agreement[0], agreement[1]);
  }

  @Test
  void mostPairsAreThoseOfAParser() throws IOException {
    try (InputStream in = VerbAndObjectTest.class.getResourceAsStream("/golden/verbs.json")) {
      double[] agreement = agreement(JSON.readTree(in));
      told("seed tasks", agreement);
      assertThat(agreement[2]).isGreaterThan(80);
      assertThat(agreement[0]).as("verb and object").isGreaterThan(0.8);
      assertThat(agreement[1]).as("verb").isGreaterThan(0.85);
    }
    String file = System.getProperty("verbs.file", "");
    if (!file.isEmpty()) {
      told(file, agreement(JSON.readTree(Files.readAllBytes(Path.of(file)))));
    }
  }

  @Test
  void thereIsNoPairWhereNothingIsAsked() {
    assertThat(finder.of("")).isEmpty();
    assertThat(finder.of("?!")).isEmpty();
    assertThat(finder.of("\uD83D\uDE00\uD83D\uDE00")).isEmpty();
    assertThat(finder.of("a ".repeat(100_000))).isEmpty();
    assertThat(finder.of("Write a short poem about the sea."))
        .contains(new VerbAndObject("write", "poem"));
  }
}
