package dev.distillery.core.run;

import java.util.List;

/**
 * What a command's help and its page say besides its options.
 *
 * @param about what it does and promises, in paragraphs
 * @param reads what it takes, in a sentence
 * @param writes what it leaves behind, in a sentence
 * @param examples whole command lines, without the launcher's folder
 */
public record Manual(String about, String reads, String writes, List<String> examples) {
  public Manual {
    examples = List.copyOf(examples);
  }

  /** A manual of paragraphs and examples. */
  public static Manual of(String about, String reads, String writes, String... examples) {
    return new Manual(about.strip(), reads, writes, List.of(examples));
  }

  /** As `--help` prints it. */
  public String text() {
    return about
        + "\n\nReads: "
        + reads
        + "\nWrites: "
        + writes
        + "\n\nExample:\n  "
        + String.join("\n  ", examples)
        + "\n";
  }

  /** As Markdown. */
  public String markdown() {
    return about
        + "\n\nReads: "
        + reads
        + "\n\nWrites: "
        + writes
        + "\n\n```\n"
        + String.join("\n", examples)
        + "\n```\n";
  }
}
