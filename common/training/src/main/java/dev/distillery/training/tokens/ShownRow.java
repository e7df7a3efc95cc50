package dev.distillery.training.tokens;

import dev.distillery.model.tokenizer.Tokenizer;
import java.util.Locale;

/** A row for a person: token by token, those marked that are learned. */
public final class ShownRow {
  private ShownRow() {}

  /**
   * The row as lines: position, id, spelling, and {@code *} with the weight where the token is
   * learned.
   *
   * @param number of the row, from 1
   */
  public static String of(TokenSequence row, Tokenizer tokenizer, int number) {
    int learned = 0;
    for (float weight : row.weights()) {
      learned += weight > 0 ? 1 : 0;
    }
    var text = new StringBuilder();
    String known = row.label() < 0 ? "" : ", class " + row.label();
    text.append(
        "Row %s: %s tokens, %s learned (*), %s documents%s%n"
            .formatted(number, row.ids().length, learned, row.starts().length, known));
    for (int t = 0, document = 0; t < row.ids().length; t++) {
      if (document < row.starts().length && row.starts()[document] == t) {
        if (row.starts().length > 1) {
          text.append("  -- document %s%n".formatted(document + 1));
        }
        document++;
      }
      float weight = row.weights()[t];
      String mark = weight == 0 ? "" : weight == 1 ? "*" : "* x " + weight;
      int id = row.ids()[t];
      String spelling = tokenizer.decode(new int[] {id}, false);
      text.append(
              String.format(Locale.ROOT, "%6d %7d %-24s %s%n", t, id, quoted(spelling), mark)
                  .stripTrailing())
          .append(System.lineSeparator());
    }
    return text.toString();
  }

  private static String quoted(String spelling) {
    return "'" + spelling.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", "\\t") + "'";
  }
}
