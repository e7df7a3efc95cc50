package dev.distillery.jobs.rate;

import java.util.List;
import java.util.Locale;

/** What people are asked. */
public enum RateForm {
  /** Which of two answers is better: one, the other, a tie, or both are bad. */
  PAIRWISE(2, 2),
  /** In which order 4 to 9 answers are good; equal ones share a place (InstructGPT). */
  RANKING(4, 9),
  /** Whether instruction, input and output of generated data are right (Self-Instruct). */
  AUDIT(1, 1),
  /** On which of four levels an answer is, a to d (Self-Instruct). */
  RATING(1, 1),
  /** A person's own answer, written or corrected (InstructGPT). */
  DEMONSTRATION(0, 1);

  /** The questions of an audit, each answered with yes or no. */
  static final List<String> QUESTIONS =
      List.of("instruction_valid", "input_fitting", "output_right");

  /** The levels of a rating, best first. */
  static final List<String> LEVELS = List.of("a", "b", "c", "d");

  private final int fewest;
  private final int most;

  RateForm(int fewest, int most) {
    this.fewest = fewest;
    this.most = most;
  }

  /** Answers that an item has at least. */
  int fewest() {
    return fewest;
  }

  /** Answers that an item has at most. */
  int most() {
    return most;
  }

  /** Whether one answer is an item, so that a row with others has several items. */
  boolean isOfOneAnswer() {
    return this == AUDIT || this == RATING;
  }

  /** As tables and the command line name it. */
  String word() {
    return name().toLowerCase(Locale.ROOT);
  }

  static RateForm of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT));
  }
}
