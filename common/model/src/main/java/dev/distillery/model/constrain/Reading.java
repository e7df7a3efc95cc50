package dev.distillery.model.constrain;

import org.jspecify.annotations.Nullable;

/**
 * How far one reading of a text is: in a rule, and below it in those that go on once it has ended.
 * Readings compare by value.
 */
final class Reading {
  private final JsonRule rule;
  private final int at;
  private final long count;
  private final @Nullable Reading below;
  private final int depth;
  private final int hash;

  /**
   * @param at the rule's own state
   * @param count what the rule counts
   */
  Reading(JsonRule rule, int at, long count, @Nullable Reading below) {
    this.rule = rule;
    this.at = at;
    this.count = count;
    this.below = below;
    this.depth = depthOf(below) + (rule instanceof Container ? 1 : 0);
    this.hash =
        ((System.identityHashCode(rule) * 31 + at) * 31 + Long.hashCode(count)) * 31
            + (below == null ? 0 : below.hash);
  }

  /** The same at another place. */
  Reading to(int place, long number) {
    return new Reading(rule, place, number, below);
  }

  JsonRule rule() {
    return rule;
  }

  int at() {
    return at;
  }

  long count() {
    return count;
  }

  @Nullable Reading below() {
    return below;
  }

  /** Arrays and objects that are open, its own among them. */
  int depth() {
    return depth;
  }

  static int depthOf(@Nullable Reading reading) {
    return reading == null ? 0 : reading.depth;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    if (!(other instanceof Reading given) || given.hash != hash) {
      return false;
    }
    Reading one = this;
    Reading two = given;
    while (one != two) {
      if (one == null
          || two == null
          || one.rule != two.rule
          || one.at != two.at
          || one.count != two.count) {
        return false;
      }
      one = one.below;
      two = two.below;
    }
    return true;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
