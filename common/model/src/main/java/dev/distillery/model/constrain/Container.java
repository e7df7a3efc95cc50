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
  abstract boolean mayEnd(Reading frame);

  /** Whether another element may come, and has room. */
  abstract boolean mayGoOn(Reading frame);

  /** Begins another element, on a frame that is behind it. */
  abstract void element(Reading frame, Readings into);

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
  public final void next(Reading frame, int b, Readings into) {
    int phase = frame.at() % PHASES;
    int blanks = frame.at() / PHASES;
    if (phase == BEFORE) {
      if (b == open) {
        arrive(frame.to(OPEN, frame.count()), into);
      }
      return;
    }
    if (b == close) {
      if (phase != COMMA && mayEnd(frame)) {
        into.end(frame.below());
      }
    } else if (b == ',') {
      if (phase == ELEMENT && blanks == 0 && mayGoOn(frame)) {
        arrive(frame.to(COMMA, frame.count()), into);
      }
    } else if (phase != ELEMENT || mayEnd(frame)) {
      int more = blanks(blanks, b, frame.depth());
      if (more > 0) {
        arrive(frame.to(phase + PHASES * more, frame.count()), into);
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

  private void arrive(Reading frame, Readings into) {
    if (frame.at() % PHASES != ELEMENT && mayGoOn(frame)) {
      element(frame, into);
    }
    into.add(frame);
  }

  @Override
  public final void resume(Reading frame, Readings into) {
    into.add(frame);
  }
}
