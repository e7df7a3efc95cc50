package dev.distillery.model.constrain;

import org.jspecify.annotations.Nullable;

/** A kind of value, or a part of one, that is read byte by byte. What it calls lies over it. */
interface JsonRule {
  /** Levels of nesting that the least value takes; {@link Choice#NEVER} where there is none. */
  default int height() {
    return 0;
  }

  /** Bytes that it leaves no choice about somewhere. */
  String needs();

  /** Takes its place, which is 0, over what goes on once it has ended. */
  default void begin(@Nullable Reading below, Readings into) {
    into.add(new Reading(this, 0, 0, below));
  }

  /** Reads a byte, 0 to 255. */
  void next(Reading reading, int b, Readings into);

  /** What lay over it has ended. */
  default void resume(Reading reading, Readings into) {
    throw new IllegalStateException("Nothing lies over " + this);
  }
}
