package dev.distillery.model.constrain;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The ways in which a text can be read so far, as they are found. Of a schema that is ambiguous
 * beyond measure the first {@link #MOST} are followed: what fits one of them fits the schema.
 */
final class Readings {
  static final int MOST = 128;

  private final List<Reading> readings = new ArrayList<>(2);
  private boolean complete;

  /** One that waits for a byte. */
  void add(Reading reading) {
    if (readings.size() < MOST && !readings.contains(reading)) {
      readings.add(reading);
    }
  }

  /** Goes on with what lies below something that has ended. */
  void end(@Nullable Reading below) {
    if (below == null) {
      complete = true;
    } else {
      below.rule().resume(below, this);
    }
  }

  JsonConstraint.State state() {
    return new JsonConstraint.State(readings, complete);
  }
}
