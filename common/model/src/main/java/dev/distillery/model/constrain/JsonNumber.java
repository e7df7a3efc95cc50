package dev.distillery.model.constrain;

/**
 * A number: RFC 8259, section 6, with at most {@link #DIGITS} digits before the point and behind
 * it, and an exponent of two.
 */
final class JsonNumber implements JsonRule {
  static final int DIGITS = 18;

  private static final int EXPONENT_DIGITS = 2;

  private static final int START = 0;
  private static final int MINUS = 1;
  private static final int ZERO = 2;
  private static final int WHOLE = 3;
  private static final int POINT = 4;
  private static final int FRACTION = 5;
  private static final int E = 6;
  private static final int SIGN = 7;
  private static final int EXPONENT = 8;

  private final boolean integer;

  /**
   * @param integer whether neither a fraction nor an exponent may stand
   */
  JsonNumber(boolean integer) {
    this.integer = integer;
  }

  @Override
  public String needs() {
    return "-.0123456789";
  }

  @Override
  public void next(Reading reading, int b, Readings into) {
    int state = next(reading.at(), reading.count(), b);
    if (state < 0) {
      return;
    }
    if (state == ZERO || state == WHOLE || state == FRACTION || state == EXPONENT) {
      into.end(reading.below());
    }
    long digits = state == reading.at() ? reading.count() + 1 : 1;
    if (goesOn(state, digits)) {
      into.add(reading.to(state, digits));
    }
  }

  private boolean goesOn(int state, long digits) {
    return switch (state) {
      case ZERO -> !integer;
      case WHOLE -> !integer || digits < DIGITS;
      case EXPONENT -> digits < EXPONENT_DIGITS;
      default -> true;
    };
  }

  private int next(int state, long digits, int b) {
    boolean digit = b >= '0' && b <= '9';
    return switch (state) {
      case START -> b == '-' ? MINUS : digit ? begun(b) : -1;
      case MINUS -> digit ? begun(b) : -1;
      case ZERO -> behind(b);
      case WHOLE -> digit ? (digits < DIGITS ? WHOLE : -1) : behind(b);
      case POINT -> digit ? FRACTION : -1;
      case FRACTION -> digit ? (digits < DIGITS ? FRACTION : -1) : exponent(b);
      case E -> b == '+' || b == '-' ? SIGN : digit ? EXPONENT : -1;
      case SIGN -> digit ? EXPONENT : -1;
      default -> digit && digits < EXPONENT_DIGITS ? EXPONENT : -1;
    };
  }

  private static int begun(int b) {
    return b == '0' ? ZERO : WHOLE;
  }

  private int behind(int b) {
    return b == '.' && !integer ? POINT : exponent(b);
  }

  private int exponent(int b) {
    return (b == 'e' || b == 'E') && !integer ? E : -1;
  }
}
