package dev.distillery.model.constrain;

import org.jspecify.annotations.Nullable;

/** What follows on a member's name: a colon, a space or none, and the value. */
final class Member implements JsonRule {
  private static final int COLON = 0;
  private static final int SPACE = 1;

  private final Choice value;

  Member(Choice value) {
    this.value = value;
  }

  @Override
  public String needs() {
    return ":";
  }

  @Override
  public int height() {
    return value.height();
  }

  /** Begins behind the colon. */
  void beginValue(@Nullable Reading below, Readings into) {
    into.add(new Reading(this, SPACE, 0, below));
    value.begin(below, into);
  }

  boolean fits(int depth) {
    return value.fits(depth);
  }

  @Override
  public void next(Reading reading, int b, Readings into) {
    if (reading.at() == COLON && b == ':') {
      beginValue(reading.below(), into);
    } else if (reading.at() == SPACE && b == ' ') {
      value.begin(reading.below(), into);
    }
  }

  /** The name has ended. */
  @Override
  public void resume(Reading reading, Readings into) {
    into.add(reading);
  }
}
