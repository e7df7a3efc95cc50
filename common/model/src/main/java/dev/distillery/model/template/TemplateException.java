package dev.distillery.model.template;

/** A template that cannot be read or run, or that refuses a dialogue by {@code raise_exception}. */
public final class TemplateException extends IllegalArgumentException {
  private static final long serialVersionUID = 1L;

  /** With the line of the template where that is known. */
  public TemplateException(String message) {
    super(message);
  }
}
