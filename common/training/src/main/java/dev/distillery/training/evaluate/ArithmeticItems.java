package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.random.CounterRandom;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Sums in words as GPT-3 was asked them (Brown et al. 2020, section 3.9.1): numbers drawn evenly
 * from 0 to all nines, subtraction with negative results, and three digits with two signs, the
 * second of which stands in brackets.
 *
 * @param operation what is asked
 * @param digits of each number at most
 */
record ArithmeticItems(Operation operation, int digits) implements ItemGenerator {
  private static final long serialVersionUID = 1L;
  private static final int MOST_DIGITS = 9;
  private static final int SITE = 1;
  private static final String SIGNS = "+-*";

  /** What is asked. */
  enum Operation {
    ADDITION,
    SUBTRACTION,
    MULTIPLICATION,
    COMPOSITE
  }

  static ItemGenerator of(Map<String, String> values, List<String> problems) {
    ItemGenerator.unknown(values, List.of("operation", "digits"), problems);
    String word = values.getOrDefault("operation", "");
    List<String> known =
        Stream.of(Operation.values()).map(each -> each.name().toLowerCase(Locale.ROOT)).toList();
    if (!known.contains(word)) {
      problems.add("'operation': expected " + String.join(", ", known) + ", found '" + word + "'");
      word = known.get(0);
    }
    String digits = values.getOrDefault("digits", "");
    if (!digits.matches("[1-" + MOST_DIGITS + "]")) {
      problems.add("'digits': expected 1 to " + MOST_DIGITS + ", found '" + digits + "'");
      digits = "1";
    }
    return new ArithmeticItems(
        Operation.valueOf(word.toUpperCase(Locale.ROOT)), Integer.parseInt(digits));
  }

  @Override
  public List<String> columns() {
    return List.of("question", "answer");
  }

  @Override
  public ObjectNode row(long seed, long index) {
    long key = CounterRandom.key(CounterRandom.key(seed, SITE), index);
    BigInteger a = number(key, 0);
    BigInteger b = number(key, 1);
    return switch (operation) {
      case ADDITION -> asked(a + " plus " + b, a.add(b));
      case SUBTRACTION -> asked(a + " minus " + b, a.subtract(b));
      case MULTIPLICATION -> asked(a + " times " + b, a.multiply(b));
      case COMPOSITE -> composite(key, a, b, number(key, 2));
    };
  }

  private ObjectNode composite(long key, BigInteger a, BigInteger b, BigInteger c) {
    char outer = sign(key, 3);
    char inner = sign(key, 4);
    return asked("" + a + outer + "(" + b + inner + c + ")", result(a, outer, result(b, inner, c)));
  }

  private static char sign(long key, long counter) {
    return SIGNS.charAt((int) (CounterRandom.uniformDouble(key, counter) * SIGNS.length()));
  }

  /** Three numbers of {@link #MOST_DIGITS} multiplied are more than a long holds. */
  private static BigInteger result(BigInteger a, char sign, BigInteger b) {
    return switch (sign) {
      case '+' -> a.add(b);
      case '-' -> a.subtract(b);
      default -> a.multiply(b);
    };
  }

  private BigInteger number(long key, long counter) {
    return BigInteger.valueOf(
        (long) (CounterRandom.uniformDouble(key, counter) * Math.round(Math.pow(10, digits))));
  }

  private static ObjectNode asked(String question, BigInteger answer) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("question", "What is " + question + "?")
        .put("answer", answer.toString());
  }
}
