package dev.distillery.datasets;

/** A row that cannot be used, with the rule that says so. Carries no stack trace: rows are many. */
public final class RejectedRowException extends Exception {
  private static final long serialVersionUID = 1L;

  private final String rule;

  /**
   * A rejection.
   *
   * @param rule the rule's name, in lower case with underscores
   * @param detail what was found
   */
  public RejectedRowException(String rule, String detail) {
    super(detail, null, false, false);
    this.rule = rule;
  }

  /** The rule's name. */
  public String rule() {
    return rule;
  }

  /** What was found. */
  public String detail() {
    return String.valueOf(getMessage());
  }
}
