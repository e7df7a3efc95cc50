package dev.distillery.model.constrain;

/**
 * A constraint over a model's tokens.
 *
 * @param constraint as {@link TokenMask#known} gives it
 */
public record TokenConstraint(JsonConstraint constraint, TokenMask mask) {
  /** A reply that begins. */
  public ConstrainedText begin() {
    return new ConstrainedText(constraint, mask);
  }
}
