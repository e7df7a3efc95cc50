import dev.distillery.core.text.LanguageId;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Prints how often LanguageId is right on lines of a code, a tab and a text: Accuracy FILE. */
class Accuracy {
  private record Line(String code, String text) {}

  private static final class Tally {
    int all;
    int right;
    final Map<String, Integer> wrong = new TreeMap<>();
  }

  public static void main(String[] args) throws Exception {
    List<Line> lines = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(args[0]))) {
      String[] parts = line.split("\t", 2);
      lines.add(new Line(parts[0], parts[1]));
    }
    lines.forEach(line -> LanguageId.detect(line.text)); // warms up
    Map<String, Tally> tallies = new TreeMap<>();
    long start = System.nanoTime();
    for (Line line : lines) {
      String found = LanguageId.detect(line.text).orElse("?");
      Tally tally = tallies.computeIfAbsent(line.code, unused -> new Tally());
      tally.all++;
      if (found.equals(line.code)) {
        tally.right++;
      } else {
        tally.wrong.merge(found, 1, Integer::sum);
      }
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    double sum = 0;
    for (var entry : tallies.entrySet()) {
      Tally tally = entry.getValue();
      double share = 100.0 * tally.right / tally.all;
      sum += share;
      System.out.printf("%s %5.1f%% of %d %s%n", entry.getKey(), share, tally.all, tally.wrong);
    }
    System.out.printf(
        "mean of %d languages: %.1f%%; %.0f texts a second%n",
        tallies.size(), sum / tallies.size(), lines.size() / seconds);
  }
}
