package dev.distillery.training.reward;

import dev.distillery.core.dialogue.Message;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.spark.sql.Row;

/**
 * What tells the two answers of a comparison apart without reading them: a reward model that knows
 * no more than this has learned nothing else.
 *
 * @param longer characters that the chosen answer has more
 * @param copied by how much the share of the chosen answer's pairs of words that the prompt has too
 *     is larger
 */
public record AnswerLooks(int longer, double copied) {
  /** The looks of a row of {@code preferences}; of a prompt that cannot be read, as of none. */
  public static AnswerLooks of(Row row) {
    StringBuilder asked = new StringBuilder();
    try {
      for (Message turn : Cells.messages(row, "prompt")) {
        asked.append(turn.content()).append('\n');
      }
    } catch (IllegalArgumentException e) {
      asked.setLength(0);
    }
    return of(asked.toString(), Cells.text(row, "chosen"), Cells.text(row, "rejected"));
  }

  static AnswerLooks of(String prompt, String chosen, String rejected) {
    Set<String> known = new HashSet<>(pairs(prompt));
    return new AnswerLooks(
        chosen.codePointCount(0, chosen.length()) - rejected.codePointCount(0, rejected.length()),
        share(chosen, known) - share(rejected, known));
  }

  private static double share(String answer, Set<String> known) {
    List<String> pairs = pairs(answer);
    long found = pairs.stream().filter(known::contains).count();
    return pairs.isEmpty() ? 0 : (double) found / pairs.size();
  }

  private static List<String> pairs(String text) {
    String[] words = text.toLowerCase(Locale.ROOT).strip().split("\\s+", -1);
    return IntStream.range(0, words.length - 1)
        .mapToObj(i -> words[i] + " " + words[i + 1])
        .toList();
  }
}
