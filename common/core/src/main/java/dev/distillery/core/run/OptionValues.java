package dev.distillery.core.run;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Reads one option's value from text, and writes it back so that reading gives the same value; the
 * values of a list are joined by commas, those in quotes that would not be told apart else.
 */
final class OptionValues {
  private static final Duration LONGEST_TIME = Duration.ofDays(36_500);
  private static final int MOST_DIGITS = 30;

  private static final Pattern DURATION = Pattern.compile("(\\d+)\\s*(ms|s|m|h|d)");

  private OptionValues() {}

  /**
   * @throws IllegalArgumentException that says what was expected and what was found
   */
  static Object parse(Class<?> type, String text) {
    if (type == String.class) {
      return text;
    }
    if (type == boolean.class || type == Boolean.class) {
      return parseBoolean(text);
    }
    if (type == Duration.class) {
      return parseDuration(text);
    }
    if (type.isEnum()) {
      return parseEnum(type, text);
    }
    try {
      if (type == int.class || type == Integer.class) {
        return Integer.valueOf(text.strip());
      }
      if (type == long.class || type == Long.class) {
        return Long.valueOf(text.strip());
      }
      if (type == BigDecimal.class) {
        return parseAmount(text);
      }
      if (type == double.class || type == Double.class) {
        double number = Double.parseDouble(text.strip());
        if (Double.isFinite(number)) {
          return number;
        }
        throw new NumberFormatException();
      }
    } catch (NumberFormatException e) {
      boolean whole = type != double.class && type != Double.class && type != BigDecimal.class;
      throw new IllegalArgumentException(
          "expected a " + (whole ? "whole " : "") + "number, found '" + text + "'", e);
    }
    throw new IllegalStateException("No option may have the type " + type);
  }

  /** A value as a command line would give it. */
  static String text(Object value) {
    if (value instanceof Duration duration) {
      return duration.toMillis() % 1000 == 0
          ? duration.toSeconds() + "s"
          : duration.toMillis() + "ms";
    }
    if (value instanceof Enum<?> constant) {
      return name(constant);
    }
    if (value instanceof List<?> list) {
      return list.stream().map(each -> inList(text(each))).collect(Collectors.joining(","));
    }
    if (value instanceof BigDecimal decimal) {
      return decimal.toPlainString();
    }
    if (value instanceof Optional<?> optional) {
      return optional.map(OptionValues::text).orElse("");
    }
    return String.valueOf(value);
  }

  /** As it stands in a list, so that no two lists are written the same. */
  private static String inList(String text) {
    return text.isEmpty() || text.contains(",") || text.contains("\"") || text.contains("\\")
        ? "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\""
        : text;
  }

  private static boolean parseBoolean(String text) {
    return switch (text.strip().toLowerCase(Locale.ROOT)) {
      case "true", "yes" -> true;
      case "false", "no" -> false;
      default -> throw new IllegalArgumentException("expected true or false, found '" + text + "'");
    };
  }

  private static Duration parseDuration(String text) {
    Matcher matcher = DURATION.matcher(text.strip());
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "expected a time such as 500ms, 30s, 10m, 2h or 7d, found '" + text + "'");
    }
    if (matcher.group(1).length() > 12) {
      throw new IllegalArgumentException(
          "expected a time of at most 12 digits, found '" + text + "'");
    }
    long amount = Long.parseLong(matcher.group(1));
    Duration duration =
        switch (matcher.group(2)) {
          case "ms" -> Duration.ofMillis(amount);
          case "s" -> Duration.ofSeconds(amount);
          case "m" -> Duration.ofMinutes(amount);
          case "h" -> Duration.ofHours(amount);
          default -> Duration.ofDays(amount);
        };
    if (duration.compareTo(LONGEST_TIME) > 0) {
      throw new IllegalArgumentException(
          "expected a time of up to " + LONGEST_TIME.toDays() + "d, found '" + text + "'");
    }
    return duration;
  }

  /** An amount that can be written out: 1e999999999 would take a gigabyte of digits. */
  private static BigDecimal parseAmount(String text) {
    BigDecimal amount = new BigDecimal(text.strip());
    if (amount.precision() > MOST_DIGITS || Math.abs((long) amount.scale()) > MOST_DIGITS) {
      throw new IllegalArgumentException(
          "expected an amount of at most "
              + MOST_DIGITS
              + " digits, found '"
              + text.substring(0, Math.min(40, text.length()))
              + "'");
    }
    return amount;
  }

  private static Object parseEnum(Class<?> type, String text) {
    List<String> names = names(type);
    int index = names.indexOf(text);
    if (index < 0) {
      throw new IllegalArgumentException(
          "expected one of "
              + String.join(", ", names)
              + ", found '"
              + text
              + "'"
              + Nearest.question(text, names));
    }
    return type.getEnumConstants()[index];
  }

  /** The words of an enum, in its order. */
  static List<String> names(Class<?> type) {
    return Arrays.stream(type.getEnumConstants())
        .map(constant -> name((Enum<?>) constant))
        .toList();
  }

  /** {@code SELF_INSTRUCT} is {@code self-instruct} on a command line. */
  private static String name(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
