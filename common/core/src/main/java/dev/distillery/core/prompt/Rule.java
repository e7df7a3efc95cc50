package dev.distillery.core.prompt;

import java.util.Locale;

/** Why a candidate was dropped; {@link #id} is what column {@code rule} of `rejects` holds. */
public enum Rule {
  /** The reply ended at its longest length within this candidate. */
  TRUNCATED,
  /** Text around the list that proposes nothing, such as a greeting. */
  CHATTER,
  /** The parts of the candidate cannot be told apart. */
  MALFORMED,
  /** The instruction has fewer than 4 words. */
  TOO_SHORT,
  /** The instruction has more than 150 words. */
  TOO_LONG,
  /** The instruction names what a text model cannot see or make. */
  BLACKLISTED_WORD,
  /** The instruction starts with "Write a program". */
  WRITE_A_PROGRAM,
  /** The instruction starts with ASCII punctuation. */
  LEADING_PUNCTUATION,
  /** The instruction starts with a character that the run's language has no use for. */
  LEADING_CHARACTER,
  /** There is no output. */
  EMPTY_OUTPUT,
  /** The output repeats the input. */
  INPUT_EQUALS_OUTPUT,
  /** The input or the output ends with a colon: something is missing after it. */
  ENDS_WITH_COLON,
  /** Two instances of the task give one input different outputs. */
  CONFLICTING_OUTPUTS,
  /** An earlier instance of the task is the same. */
  DUPLICATE_INSTANCE;

  /** The name in lower case, such as {@code too_short}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT);
  }
}
