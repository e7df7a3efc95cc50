package dev.distillery.model.constrain;

import java.util.BitSet;
import java.util.List;

/** One reply on its way under a constraint. One thread at a time. */
public final class ConstrainedText {
  private final TokenMask mask;
  private JsonConstraint.State state;

  ConstrainedText(JsonConstraint constraint, TokenMask mask) {
    this.mask = mask;
    this.state = constraint.begin();
  }

  /**
   * Leaves out the tokens that must not come next.
   *
   * @param logits [vocabulary]; theirs become negative infinity
   * @param endIds tokens that end a reply: they may come where the value is whole
   */
  public void mask(float[] logits, List<Integer> endIds) {
    BitSet allowed = mask.allowed(state);
    if (state.isComplete()) {
      endIds.forEach(allowed::set);
    }
    for (int id = allowed.nextClearBit(0); id < logits.length; id = allowed.nextClearBit(id + 1)) {
      logits[id] = Float.NEGATIVE_INFINITY;
    }
  }

  /** Takes the token that was chosen. */
  public void append(int id) {
    state = mask.next(state, id);
  }

  /** Whether the value is whole and nothing may follow. */
  public boolean isOver() {
    return !state.goesOn();
  }
}
