package dev.distillery.training.evaluate;

/** A row that makes no item, with the rule that drops it. */
public final class ItemException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The row lacks a column that the task's texts name, or has null there. */
  public static final String MISSING = "missing_column";

  /** The right answer is none of the choices. */
  public static final String NO_TARGET = "answer_not_among_choices";

  /** The column of choices holds no list of two or more. */
  public static final String BAD_CHOICES = "invalid_choices";

  /** The model's log-probability of a choice or text is no finite number. */
  public static final String NOT_FINITE = "logprob_not_finite";

  /** Nothing to score. */
  public static final String EMPTY = "empty";

  /** The item alone, without any shot, is longer than the model's context. */
  public static final String TOO_LONG = "longer_than_context";

  /** The pool has fewer other items than shots are asked for. */
  public static final String FEW_SHOTS = "too_few_shots";

  private final String rule;

  ItemException(String rule, String detail) {
    super(detail);
    this.rule = rule;
  }

  /** Name of the rule. */
  public String rule() {
    return rule;
  }
}
