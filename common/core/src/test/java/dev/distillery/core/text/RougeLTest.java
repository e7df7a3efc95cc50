package dev.distillery.core.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class RougeLTest {
  private final WordTokenizer tokenizer = new RougeTokenizer();

  @Test
  void scoresAreThoseOfRougeScoreToTheLastBit() throws IOException {
    JsonNode golden = Golden.rougeScore();
    List<List<String>> lists = new ArrayList<>();
    golden.get("tokens").forEach(each -> lists.add(Golden.strings(each.get(1))));
    assertThat(golden.get("scores")).hasSize(lists.size() * lists.size());
    for (JsonNode each : golden.get("scores")) {
      List<String> target = lists.get(each.get(0).intValue());
      List<String> prediction = lists.get(each.get(1).intValue());
      assertThat(RougeL.score(target, prediction))
          .as("%s / %s", target, prediction)
          .isEqualTo(each.get(2).doubleValue());
    }
  }

  @Test
  void exactlySevenTenthsFallsOnTheSideOnWhichRougeScoreHasIt() throws IOException {
    JsonNode table = Golden.rougeScore().get("exactly_seven_tenths");
    int above = 0;
    for (JsonNode row : table) {
      int target = row.get(0).intValue();
      int prediction = row.get(1).intValue();
      double score = RougeL.fMeasure(row.get(2).intValue(), target, prediction);
      assertThat(score).isEqualTo(row.get(3).doubleValue());
      above += score > 0.7 ? 1 : 0;
    }
    assertThat(table).hasSize(151);
    assertThat(above).isEqualTo(84);
  }

  @Test
  void storedScoresOfRealRunsAreReproduced() throws IOException {
    Path folder = Path.of("../../../shared/data/machine-generated");
    Assumptions.assumeTrue(Files.isDirectory(folder), "No recorded runs at " + folder);
    int triples = 0;
    try (var files = Files.newDirectoryStream(folder, "*.{json,jsonl}")) {
      for (Path file : files) {
        for (JsonNode row : rows(file)) {
          triples += checkNeighbours(row, file);
        }
      }
    }
    assertThat(triples).isGreaterThan(10_000);
  }

  private int checkNeighbours(JsonNode row, Path file) {
    String instruction = row.get("instruction").textValue();
    JsonNode neighbours =
        row.has("most_similar") ? row.get("most_similar") : row.path("most_similar_instructions");
    for (Map.Entry<String, JsonNode> neighbour : neighbours.properties()) {
      assertThat(
              RougeL.score(tokenizer.tokenize(instruction), tokenizer.tokenize(neighbour.getKey())))
          .as("%s: %s / %s", file.getFileName(), instruction, neighbour.getKey())
          .isCloseTo(neighbour.getValue().doubleValue(), within(1e-9));
    }
    return neighbours.size();
  }

  /** Instruction records; a regen.json is one list, a .jsonl has a record a line. */
  private static List<JsonNode> rows(Path file) throws IOException {
    var mapper = new ObjectMapper();
    List<JsonNode> rows = new ArrayList<>();
    if (file.toString().endsWith(".jsonl")) {
      for (String line : Files.readAllLines(file)) {
        rows.add(mapper.readTree(line));
      }
    } else {
      mapper.readTree(file.toFile()).forEach(rows::add);
    }
    return rows;
  }

  @Property(seed = "20260801")
  void bitParallelLengthIsThatOfTheTable(
      @ForAll @Size(max = 200) List<@IntRange(max = 5) Integer> a,
      @ForAll @Size(max = 200) List<@IntRange(max = 5) Integer> b) {
    assertThat(new LcsPattern(array(a)).lengthWith(array(b)))
        .isEqualTo(lcsTable(array(a), array(b)));
  }

  @Property(seed = "20260801")
  void scoreIsSymmetricAndOneOnlyForTheSameList(
      @ForAll @Size(max = 90) List<@IntRange(max = 3) Integer> a,
      @ForAll @Size(max = 90) List<@IntRange(max = 3) Integer> b) {
    double score = RougeL.score(array(a), array(b));
    assertThat(score).isEqualTo(RougeL.score(array(b), array(a))).isBetween(0.0, 1.0);
    assertThat(score == 1.0).isEqualTo(!a.isEmpty() && a.equals(b));
  }

  @Test
  void longListsAreScoredInBoundedMemory() {
    int[] list = new int[50_000];
    for (int i = 0; i < list.length; i++) {
      list[i] = i;
    }
    int[] shifted = new int[50_000];
    for (int i = 0; i < shifted.length; i++) {
      shifted[i] = i + 10_000;
    }
    assertThat(new LcsPattern(list).lengthWith(shifted)).isEqualTo(40_000);
  }

  private static int[] array(List<Integer> list) {
    return list.stream().mapToInt(Integer::intValue).toArray();
  }

  private static int lcsTable(int[] a, int[] b) {
    int[][] table = new int[a.length + 1][b.length + 1];
    for (int i = 1; i <= a.length; i++) {
      for (int j = 1; j <= b.length; j++) {
        table[i][j] =
            a[i - 1] == b[j - 1]
                ? table[i - 1][j - 1] + 1
                : Math.max(table[i - 1][j], table[i][j - 1]);
      }
    }
    return table[a.length][b.length];
  }
}
