import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes instructions with planted duplicates of known ROUGE-L, the same for the same seed.
 *
 * <p>{@code java Generate.java ROWS SEED FOLDER} writes {@code rows.jsonl} (id, instruction; ids in
 * the order of the rows) and {@code planted.jsonl} (id, base, score: F of the two texts; above 0.7
 * or not).
 *
 * <p>Words follow Zipf's law with exponent 1.05 over 200,000 words, as the 52,002 instructions of
 * Alpaca nearly do; a text begins with one of 5,000 phrases of two to five words, since real
 * instructions share their beginnings; lengths are those of Alpaca (mean 10 tokens, a few of up to
 * 80). One row in five is an earlier row with tokens replaced by, or widened with, words that stand
 * nowhere else, or with tokens cut out: so the common subsequence, and F, are known.
 */
public final class Generate {
  private static final int WORDS = 200_000;
  private static final int PHRASES = 5_000;
  private static final double THRESHOLD = 0.7;

  private final SplittableRandom random;
  private final double[] cumulative = new double[WORDS];
  private final String[] words = new String[WORDS];
  private final List<String[]> phrases = new ArrayList<>();
  private final List<String[]> bases = new ArrayList<>();
  private final List<Integer> baseRows = new ArrayList<>();
  private int fresh;

  private Generate(long seed) {
    random = new SplittableRandom(seed);
    double sum = 0;
    for (int rank = 0; rank < WORDS; rank++) {
      sum += Math.pow(rank + 1, -1.05);
      cumulative[rank] = sum;
      words[rank] = "w" + Integer.toString(rank, 36);
    }
    for (int i = 0; i < PHRASES; i++) {
      phrases.add(text(2 + random.nextInt(4)));
    }
  }

  public static void main(String[] args) throws IOException {
    int rows = Integer.parseInt(args[0]);
    Path folder = Path.of(args[2]);
    Files.createDirectories(folder);
    var generate = new Generate(Long.parseLong(args[1]));
    try (var out = Files.newBufferedWriter(folder.resolve("rows.jsonl"));
        var planted = Files.newBufferedWriter(folder.resolve("planted.jsonl"))) {
      for (int row = 0; row < rows; row++) {
        write(out, row, generate.row(row, planted));
      }
    }
  }

  private String[] row(int row, BufferedWriter planted) throws IOException {
    if (bases.size() > 100 && random.nextInt(5) == 0) {
      double u = random.nextDouble();
      int chosen = (int) (bases.size() * u * u); // Early rows have more duplicates.
      return duplicate(row, baseRows.get(chosen), bases.get(chosen), planted);
    }
    String[] head = phrases.get((int) (PHRASES * Math.pow(random.nextDouble(), 3)));
    String[] tail = text(length());
    String[] text = Arrays.copyOf(head, head.length + tail.length);
    System.arraycopy(tail, 0, text, head.length, tail.length);
    if (text.length >= 8) {
      bases.add(text);
      baseRows.add(row);
    }
    return text;
  }

  private String[] duplicate(int row, int base, String[] text, BufferedWriter planted)
      throws IOException {
    int n = text.length;
    int edits = random.nextInt(1 + n / 2);
    List<String> edited = new ArrayList<>(Arrays.asList(text));
    int kind = random.nextInt(3);
    for (int i = 0; i < edits; i++) {
      switch (kind) {
        case 0 -> edited.remove(random.nextInt(edited.size()));
        case 1 -> edited.add(random.nextInt(edited.size() + 1), "x" + fresh++);
        default -> {
          int at = random.nextInt(edited.size());
          // A place that was replaced already counts once, so the next original one is taken.
          while (edited.get(at).startsWith("x")) {
            at = (at + 1) % edited.size();
          }
          edited.set(at, "x" + fresh++);
        }
      }
    }
    int lcs = kind == 1 ? n : n - edits;
    double precision = lcs / (double) edited.size();
    double recall = lcs / (double) n;
    double score = 2 * precision * recall / (precision + recall);
    planted.write(
        String.format(
            "{\"id\":\"%s\",\"base\":\"%s\",\"score\":%s,\"above\":%s}%n",
            id(row), id(base), score, score > THRESHOLD));
    return edited.toArray(String[]::new);
  }

  private int length() {
    double normal = -6;
    for (int i = 0; i < 12; i++) {
      normal += random.nextDouble();
    }
    return (int) Math.min(75, 2 + Math.exp(1.5 + 0.6 * normal));
  }

  private String[] text(int length) {
    String[] text = new String[length];
    for (int i = 0; i < length; i++) {
      double u = random.nextDouble() * cumulative[WORDS - 1];
      int rank = Arrays.binarySearch(cumulative, u);
      text[i] = words[Math.min(WORDS - 1, rank < 0 ? -rank - 1 : rank)];
    }
    return text;
  }

  private static String id(int row) {
    return String.format("r%09d", row);
  }

  private static void write(BufferedWriter out, int row, String[] text) throws IOException {
    out.write(
        "{\"id\":\"" + id(row) + "\",\"instruction\":\"" + String.join(" ", text) + "\"}\n");
  }
}
