package dev.distillery.model.constrain;

/**
 * An array or an object. White space may stand behind the opening bracket and a comma and before
 * the closing bracket: one space, or a line's end and at most {@link #INDENT} blanks for each level
 * that is open.
 */
abstract class Container implements JsonRule {
  private static final int INDENT = 4;

  /** Before the opening bracket. */
  private static final int BEFORE = 0;

  private static final int OPEN = 1;
  private static final int COMMA = 2;

  /** Behind an element. */
  static final int ELEMENT = 3;

  /** One more than the largest phase; above it, the white space so far. */
  private static final int PHASES = 4;

  private static final int SPACE = 1;
  private static final int LINE = 2;

  private final char open;
  private final char close;
  private int height = Choice.NEVER;

  Container(char open, char close) {
    this.open = open;
    this.close = close;
  }

  /** Whether it may be closed. */
  abstract boolean mayEnd(Reading reading);

  /** Whether another element may come, and has room. */
  abstract boolean mayGoOn(Reading reading);

  /** Begins another element, on a reading that is behind it. */
  abstract void element(Reading reading, Readings into);

  /** Levels of nesting within it at least. */
  abstract int innerHeight();

  @Override
  public final String needs() {
    return open + ":,\"" + close;
  }

  @Override
  public final int height() {
    return height;
  }

  /** Computes the height once more; whether it is another one now. */
  final boolean settle() {
    int before = height;
    height = Math.min(Choice.NEVER, 1 + innerHeight());
    return height != before;
  }

  @Override
  public final void next(Reading reading, int b, Readings into) {
    int phase = reading.at() % PHASES;
    int blanks = reading.at() / PHASES;
    if (phase == BEFORE) {
      if (b == open) {
        arrive(reading.to(OPEN, reading.count()), into);
      }
      return;
    }
    if (b == close) {
      if (phase != COMMA && mayEnd(reading)) {
        into.end(reading.below());
      }
    } else if (b == ',') {
      if (phase == ELEMENT && blanks == 0 && mayGoOn(reading)) {
        arrive(reading.to(COMMA, reading.count()), into);
      }
    } else if (phase != ELEMENT || mayEnd(reading)) {
      int more = blanks(blanks, b, reading.depth());
      if (more > 0) {
        arrive(reading.to(phase + PHASES * more, reading.count()), into);
      }
    }
  }

  private static int blanks(int blanks, int b, int depth) {
    if (blanks == 0) {
      return b == ' ' ? SPACE : b == '\n' ? LINE : -1;
    }
    boolean more = blanks >= LINE && blanks < LINE + INDENT * depth;
    return more && (b == ' ' || b == '\t') ? blanks + 1 : -1;
  }

  private void arrive(Reading reading, Readings into) {
    if (reading.at() % PHASES != ELEMENT && mayGoOn(reading)) {
      element(reading, into);
    }
    into.add(reading);
  }

  @Override
  public final void resume(Reading reading, Readings into) {
    into.add(reading);
  }
}
