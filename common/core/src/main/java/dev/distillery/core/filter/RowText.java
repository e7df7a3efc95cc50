package dev.distillery.core.filter;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/**
 * What rules see of a row, whatever its table: its texts in their order, and what is known of them.
 *
 * @param pieces fields or turns
 * @param input of an instruction; empty where there is none
 * @param score of a document, or of a comparison's better answer
 * @param language ISO 639-1 code, where the table tells it
 * @param url where a document was found
 */
public record RowText(
    List<Piece> pieces,
    String input,
    OptionalDouble score,
    Optional<String> language,
    Optional<String> url) {

  /** Which texts of a row a rule looks at. */
  public enum Part {
    /** All of them as one text, a line break between two. */
    WHOLE,
    /** Each that asks: instruction and input, the user's and the system's turns, the prompt. */
    PROMPT,
    /** Each that answers: the output, the assistant's turns, both answers, a document's text. */
    ANSWER
  }

  /**
   * One field or turn.
   *
   * @param part {@link Part#PROMPT} or {@link Part#ANSWER}
   */
  public record Piece(Part part, String text) {}

  public RowText {
    pieces = List.copyOf(pieces);
  }

  /** A row that is one text. */
  public static RowText document(String text) {
    return new RowText(
        List.of(new Piece(Part.ANSWER, text)),
        "",
        OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** A question with its answer. */
  public static RowText answer(String prompt, String answer) {
    return new RowText(
        List.of(new Piece(Part.PROMPT, prompt), new Piece(Part.ANSWER, answer)),
        "",
        OptionalDouble.empty(),
        Optional.empty(),
        Optional.empty());
  }

  /** The texts that a rule looks at, each by itself. */
  public List<String> texts(Part part) {
    return part == Part.WHOLE
        ? List.of(whole())
        : pieces.stream().filter(piece -> piece.part() == part).map(Piece::text).toList();
  }

  /** All texts as one; empty ones leave no line. */
  public String whole() {
    return pieces.size() == 1
        ? pieces.get(0).text()
        : pieces.stream()
            .map(Piece::text)
            .filter(text -> !text.isEmpty())
            .collect(Collectors.joining("\n"));
  }

  /** The row with another text in place of its only one. */
  RowText with(String text) {
    if (pieces.size() != 1) {
      throw new IllegalStateException("The row has " + pieces.size() + " texts, not one");
    }
    return new RowText(List.of(new Piece(pieces.get(0).part(), text)), input, score, language, url);
  }
}
