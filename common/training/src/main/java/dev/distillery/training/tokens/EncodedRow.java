package dev.distillery.training.tokens;

import java.util.List;

/**
 * What became of one row of the input.
 *
 * @param sequences its tokens: mostly one sequence, several where it was parted; none where it was
 *     rejected
 * @param rule that rejected it; empty where it is kept
 * @param detail what the rule found
 * @param tokens before anything was cut
 * @param cut tokens that no sequence holds
 * @param characters of its text, in code points
 * @param stops whether an end of an answer, or of the document, is learned
 * @param endsWithUser whether the dialogue's last turn is a question that nobody answers
 * @param emptyAnswers answers without text, which are not learned
 */
public record EncodedRow(
    List<TokenSequence> sequences,
    String rule,
    String detail,
    int tokens,
    int cut,
    int characters,
    boolean stops,
    boolean endsWithUser,
    int emptyAnswers) {

  /** The row holds nothing. */
  static final String EMPTY = "empty";

  /** Nothing in the row is learned. */
  static final String NO_LABEL = "no_label";

  /** All that would be learned lies beyond the longest length. */
  static final String NO_LABEL_AFTER_CUT = "no_label_after_cut";

  /** The row is longer than a row may be. */
  static final String TOO_LONG = "longer_than_max_length";

  /** A weight that is negative or not finite, or that would be passed over. */
  static final String BAD_WEIGHT = "bad_weight";

  /** A label that none of the classes is. */
  static final String UNKNOWN_LABEL = "unknown_label";

  /** Roles that the chat template has no form for. */
  static final String NO_FORM = "not_in_template";

  /** A pair whose two answers are one. */
  static final String EQUAL_ANSWERS = "equal_answers";

  /** A pair whose answers differ beyond the longest length only. */
  static final String EQUAL_AFTER_CUT = "equal_answers_after_cut";

  /** A prompt that leaves no room for an answer. */
  static final String PROMPT_TOO_LONG = "prompt_too_long";

  /** A margin that is no finite number. */
  static final String BAD_MARGIN = "bad_margin";

  public EncodedRow {
    sequences = List.copyOf(sequences);
  }

  static EncodedRow rejected(String rule, String detail) {
    return new EncodedRow(List.of(), rule, detail, 0, 0, 0, false, false, 0);
  }

  /** Whether it has tokens in the table. */
  public boolean kept() {
    return rule.isEmpty();
  }
}
