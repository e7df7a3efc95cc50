package dev.distillery.core.filter;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Computes sums that stand in texts, and finds those that come out otherwise. It reads plain
 * numbers, {@code + - * / ^} in their usual spellings and parentheses; whatever stands beside
 * letters, percent signs or remainders is left alone, so that what it finds is wrong.
 */
final class Arithmetic {
  private static final String NUMBER = "(?:\\d{1,3}(?:,\\d{3}){1,5}|\\d{1,15})(?:\\.\\d{1,15})?";
  private static final String OPERATOR = "(?:\\*\\*|[-+*/^×÷−]|(?<=\\s)x(?=\\s))";

  /** A term may have opening signs before it and closing ones behind it. */
  private static final String TERM = "[(]{0,4}[$€£]?" + NUMBER + "[)]{0,4}";

  private static final String EXPRESSION =
      TERM + "(?:\\s{0,2}" + OPERATOR + "\\s{0,2}" + TERM + "){1,12}";

  static final Pattern EQUATION =
      Pattern.compile("(" + EXPRESSION + ")\\s{0,2}=\\s{0,2}([$€£]?[-−]?" + NUMBER + ")");

  private static final Pattern QUESTION =
      Pattern.compile(
          "^([\\p{L} ]{0,60}[:]?\\s{0,2})?(" + EXPRESSION + ")\\s{0,2}=?\\s{0,2}[?.]?$");

  private static final Pattern ONE_NUMBER = Pattern.compile("[-−]?" + NUMBER);

  /** What may not stand before a sum: it would be part of it. */
  private static final String BEFORE = "+-*/^×÷−–—·⋅%(:.,_#\\√∛∜¬|!";

  /** Nor behind. */
  private static final String AFTER = "+-*/^×÷−–·⋅%:_(…√∛∜!";

  /** Words that make something else of the number behind them. */
  private static final Pattern FUNCTION =
      Pattern.compile(
          "(?i)(?<![\\p{L}])(?:a|arc)?(?:sqrt|cbrt|root|sin|cos|tan|cot|sec|csc|sinh|cosh|tanh|log|ln|lg|lb"
              + "|exp|abs|floor|ceil|round|sgn|min|max|mod|gcd|lcm|square|squared|cube|cubed|half"
              + "|twice|double|triple|thrice|of|by|times|plus|minus|negative|over|per|power"
              + "|factorial|percent|logarithm|sine|cosine|tangent)$");

  private static final Pattern REMAINDER =
      Pattern.compile("^\\s{0,2}(?:\\(?(?:r|rem|remainder|with|and|or|mod|x)\\b|(?:\\.\\.\\.|…))");

  private static final Pattern CODE = Pattern.compile("(?s)```.*?(?:```|$)");

  private Arithmetic() {}

  /** The first equation of a text, outside of code, that does not hold. */
  static Optional<String> wrongEquation(String text) {
    if (text.indexOf('=') < 0) {
      return Optional.empty();
    }
    String prose = CODE.matcher(text).replaceAll(" ");
    Matcher equation = EQUATION.matcher(prose);
    int from = 0;
    while (equation.find(from)) {
      from = equation.end();
      if (standsAlone(prose, equation.start(), equation.end())
          && !holds(equation.group(1), equation.group(2))) {
        return Optional.of(equation.group());
      }
    }
    return Optional.empty();
  }

  /**
   * The sum that a prompt asks for, with the answer's only number, where that is another. Prompts
   * that say more than the sum, and answers with several numbers, are not judged.
   */
  static Optional<String> wrongAnswer(String prompt, String answer) {
    String asked = prompt.strip();
    if (asked.length() > 200 || answer.length() > 200) {
      return Optional.empty();
    }
    Matcher question = QUESTION.matcher(asked);
    Matcher number = ONE_NUMBER.matcher(answer);
    if (!question.matches() || !number.find()) {
      return Optional.empty();
    }
    String found = number.group();
    boolean alone = standsAlone(answer, number.start(), number.end());
    boolean function =
        question.group(1) != null
            && Stream.of(question.group(1).split("[ :]"))
                .anyMatch(word -> FUNCTION.matcher(word).find());
    if (!alone || function || number.find() || asked.toLowerCase(Locale.ROOT).contains("round")) {
      return Optional.empty();
    }
    return holds(question.group(2), found)
        ? Optional.empty()
        : Optional.of(question.group(2) + " = " + found);
  }

  private static boolean standsAlone(String text, int start, int end) {
    return endsBefore(text, start) && beginsBehind(text, end);
  }

  /** Whether nothing before a sum is part of it. */
  private static boolean endsBefore(String text, int start) {
    int before = start - 1;
    if (before >= 0 && isPartOfNumber(text.charAt(before))) {
      return false;
    }
    while (before >= 0 && Character.isSpaceChar(text.charAt(before))) {
      before--;
    }
    if (before < 0) {
      return true;
    }
    char sign = text.charAt(before);
    boolean sum = BEFORE.indexOf(sign) >= 0 && !endsSentence(text, before);
    // A mixed number, as in 1 1/2, or one whose thousands stand apart.
    boolean number = isNumber(sign);
    String words = text.substring(Math.max(0, before - 15), before + 1);
    return !sum && !number && !isLoneLetter(text, before) && !FUNCTION.matcher(words).find();
  }

  /** Whether nothing behind a sum is part of it. */
  private static boolean beginsBehind(String text, int end) {
    String rest = text.substring(end, Math.min(text.length(), end + 20));
    if (rest.isEmpty()) {
      return true;
    }
    if (REMAINDER.matcher(rest.toLowerCase(Locale.ROOT)).find()) {
      return false;
    }
    if (rest.charAt(0) == ',') {
      return rest.length() > 1 && rest.charAt(1) == ' ';
    }
    if (isPartOfNumber(rest.charAt(0))) {
      return false;
    }
    int after = 0;
    while (after < rest.length() && Character.isSpaceChar(rest.charAt(after))) {
      after++;
    }
    return after == rest.length()
        || (AFTER.indexOf(rest.charAt(after)) < 0 && !isNumber(rest.charAt(after)));
  }

  private static boolean isPartOfNumber(char sign) {
    return Character.isLetter(sign) || isNumber(sign);
  }

  /** Digits, and signs such as ½ and ². */
  private static boolean isNumber(char sign) {
    return Character.isDigit(sign) || Character.getType(sign) == Character.OTHER_NUMBER;
  }

  /** A variable before the sum, as in {@code x 2 + 3 = 5}. */
  private static boolean isLoneLetter(String text, int at) {
    return Character.isLetter(text.charAt(at))
        && (at == 0 || !Character.isLetter(text.charAt(at - 1)))
        && text.charAt(at) != 'a'
        && text.charAt(at) != 'I';
  }

  /** A colon, stop, comma or exclamation with a space behind it is no part of a number. */
  private static boolean endsSentence(String text, int at) {
    char sign = text.charAt(at);
    return (sign == ':' || sign == '.' || sign == ',' || sign == '!')
        && at + 1 < text.length()
        && Character.isWhitespace(text.charAt(at + 1));
  }

  /** Whether the sum is the number, as far as its decimals go; rounded or cut, both are right. */
  private static boolean holds(String expression, String result) {
    Optional<BigDecimal> value = new Reader(expression).value();
    if (value.isEmpty()) {
      return true;
    }
    BigDecimal shown = new BigDecimal(plain(result));
    BigDecimal last = BigDecimal.ONE.movePointLeft(Math.max(0, shown.scale()));
    boolean whole = value.get().stripTrailingZeros().scale() <= 0;
    BigDecimal difference = value.get().subtract(shown).abs();
    return whole
        ? difference.signum() == 0
        // A whole number given for a fraction may be rounded in words that are not read.
        : difference.compareTo(last) < 0;
  }

  private static String plain(String number) {
    return number.replaceAll("[,$€£\\s]", "").replace('−', '-');
  }

  /** A recursive descent over one expression. */
  private static final class Reader {
    private static final MathContext DIGITS = new MathContext(34, RoundingMode.HALF_EVEN);

    private final String text;
    private int at;
    private boolean broken;

    Reader(String expression) {
      this.text =
          plain(expression)
              .replace('×', '*')
              .replace('x', '*')
              .replace('÷', '/')
              .replace("**", "^");
    }

    /** Empty where it is no expression, or has no value that could be told. */
    Optional<BigDecimal> value() {
      BigDecimal sum = sum();
      return broken || at != text.length() ? Optional.empty() : Optional.of(sum);
    }

    private BigDecimal sum() {
      BigDecimal left = product();
      while (!broken && (next('+') || next('-'))) {
        boolean plus = text.charAt(at++) == '+';
        BigDecimal right = product();
        left = plus ? left.add(right, DIGITS) : left.subtract(right, DIGITS);
      }
      return left;
    }

    private BigDecimal product() {
      BigDecimal left = power();
      while (!broken && (next('*') || next('/'))) {
        boolean times = text.charAt(at++) == '*';
        BigDecimal right = power();
        if (times) {
          left = left.multiply(right, DIGITS);
        } else if (right.signum() == 0) {
          broken = true;
        } else {
          left = left.divide(right, DIGITS);
        }
      }
      return left;
    }

    private BigDecimal power() {
      BigDecimal base = term();
      if (broken || !next('^')) {
        return base;
      }
      at++;
      BigDecimal exponent = power();
      boolean small =
          exponent.scale() <= 0 && exponent.signum() >= 0 && exponent.compareTo(LARGEST) <= 0;
      broken |= !small;
      return broken ? base : base.pow(exponent.intValueExact(), DIGITS);
    }

    private static final BigDecimal LARGEST = BigDecimal.valueOf(64);

    private BigDecimal term() {
      if (next('(')) {
        at++;
        BigDecimal inner = sum();
        broken |= !next(')');
        at++;
        return inner;
      }
      int start = at;
      while (at < text.length() && (Character.isDigit(text.charAt(at)) || next('.'))) {
        at++;
      }
      broken |= start == at;
      return broken ? BigDecimal.ZERO : new BigDecimal(text.substring(start, at));
    }

    private boolean next(char sign) {
      return at < text.length() && text.charAt(at) == sign;
    }
  }
}
