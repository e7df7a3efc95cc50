package dev.distillery.model.template;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Values as Python writes them: {@code str}, {@code repr}, {@code json.dumps}. */
final class PythonText {
  private PythonText() {}

  /** What Python's {@code str.isspace} and the strip methods take for white space. */
  static boolean isSpace(char c) {
    return (c >= 9 && c <= 13)
        || (c >= 28 && c <= 32)
        || c == 0x85
        || c == 0xA0
        || c == 0x1680
        || (c >= 0x2000 && c <= 0x200A)
        || c == 0x2028
        || c == 0x2029
        || c == 0x202F
        || c == 0x205F
        || c == 0x3000;
  }

  /** Whether all from there on is white space, and there is some. */
  static boolean isSpace(String text, int from) {
    return from < text.length() && stripEnd(text, from) == from;
  }

  /** Where a text ends without the white space at its end, from {@code from} at the least. */
  static int stripEnd(String text, int from) {
    int to = text.length();
    while (to > from && isSpace(text.charAt(to - 1))) {
      to--;
    }
    return to;
  }

  /** {@code str(value)}. */
  static String str(Object value) {
    return value instanceof Text text
        ? text.value()
        : value instanceof Value.Undefined ? "" : repr(value);
  }

  /** {@code repr(value)}. */
  static String repr(Object value) {
    if (value instanceof Text text) {
      return quoted(text.value());
    }
    if (value instanceof Boolean truth) {
      return truth ? "True" : "False";
    }
    if (value instanceof Double number) {
      return real(number);
    }
    if (value == Value.NONE) {
      return "None";
    }
    if (value instanceof Value.Undefined) {
      return "Undefined";
    }
    StringBuilder out = new StringBuilder();
    if (value instanceof List<?> list) {
      boolean tuple = value instanceof Value.Tuple;
      out.append(tuple ? '(' : '[');
      for (int i = 0; i < list.size(); i++) {
        out.append(i == 0 ? "" : ", ").append(repr(list.get(i)));
      }
      return out.append(tuple && list.size() == 1 ? ",)" : tuple ? ")" : "]").toString();
    }
    if (value instanceof Map<?, ?> map) {
      out.append('{');
      map.forEach(
          (key, member) ->
              out.append(out.length() == 1 ? "" : ", ")
                  .append(repr(key))
                  .append(": ")
                  .append(repr(member)));
      return out.append('}').toString();
    }
    return String.valueOf(value);
  }

  private static String quoted(String text) {
    char quote = text.indexOf('\'') >= 0 && text.indexOf('"') < 0 ? '"' : '\'';
    StringBuilder out = new StringBuilder().append(quote);
    text.codePoints()
        .forEach(
            c -> {
              if (c == quote || c == '\\') {
                out.append('\\').appendCodePoint(c);
              } else if (c == '\n') {
                out.append("\\n");
              } else if (c == '\r') {
                out.append("\\r");
              } else if (c == '\t') {
                out.append("\\t");
              } else if (c < 32 || (c >= 0x7F && c <= 0xA0) || c == 0xAD) {
                out.append(String.format(Locale.ROOT, "\\x%02x", c));
              } else if (!printable(c)) {
                out.append((c > 0xFFFF ? "\\U%08x" : "\\u%04x").formatted(c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.append(quote).toString();
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** The shortest decimal that reads back, with an exponent from 1e16 and below 1e-4. */
  private static String real(double number) {
    if (Double.isNaN(number)) {
      return "nan";
    }
    if (Double.isInfinite(number)) {
      return number > 0 ? "inf" : "-inf";
    }
    if (number == 0) {
      return 1 / number < 0 ? "-0.0" : "0.0";
    }
    BigDecimal decimal = new BigDecimal(Double.toString(number)).stripTrailingZeros();
    int exponent = decimal.precision() - decimal.scale() - 1;
    if (exponent >= -4 && exponent < 16) {
      String plain = decimal.toPlainString();
      return plain.indexOf('.') < 0 ? plain + ".0" : plain;
    }
    String digits = decimal.unscaledValue().abs().toString();
    return (number < 0 ? "-" : "")
        + digits.charAt(0)
        + (digits.length() > 1 ? "." + digits.substring(1) : "")
        + "e"
        + (exponent < 0 ? "-" : "+")
        + (Math.abs(exponent) < 10 ? "0" : "")
        + Math.abs(exponent);
  }

  /**
   * {@code json.dumps(value, ensure_ascii=False)}.
   *
   * @param indent blanks a level; below 0 for one line
   */
  static void json(StringBuilder out, Object value, int indent, int level, String[] separators) {
    if (value instanceof Text text) {
      jsonText(out, text.value());
    } else if (value instanceof Boolean || value == Value.NONE) {
      out.append(value == Value.NONE ? "null" : value.toString());
    } else if (value instanceof Double number) {
      out.append(
          Double.isNaN(number)
              ? "NaN"
              : Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : real(number));
    } else if (value instanceof Long) {
      out.append(value);
    } else if (value instanceof List<?> list) {
      out.append('[');
      for (int i = 0; i < list.size(); i++) {
        between(out, i == 0, indent, level + 1, separators[0]);
        json(out, list.get(i), indent, level + 1, separators);
      }
      close(out, list.isEmpty(), indent, level).append(']');
    } else if (value instanceof Map<?, ?> map) {
      out.append('{');
      boolean first = true;
      for (Map.Entry<?, ?> member : map.entrySet()) {
        between(out, first, indent, level + 1, separators[0]);
        first = false;
        jsonText(out, str(member.getKey()));
        out.append(separators[1]);
        json(out, member.getValue(), indent, level + 1, separators);
      }
      close(out, map.isEmpty(), indent, level).append('}');
    } else {
      throw new TemplateException(
          "tojson cannot write " + Value.kind(value) + " of the chat template");
    }
  }

  /** What json.dumps makes of JSON's texts unless it is told not to. */
  static String ascii(CharSequence json) {
    StringBuilder out = new StringBuilder();
    json.chars()
        .forEach(
            c ->
                out.append(
                    c > '~' ? String.format(Locale.ROOT, "\\u%04x", c) : String.valueOf((char) c)));
    return out.toString();
  }

  private static void between(
      StringBuilder out, boolean first, int indent, int level, String separator) {
    out.append(first ? "" : separator);
    if (indent >= 0) {
      out.append('\n').append(" ".repeat(indent * level));
    }
  }

  private static StringBuilder close(StringBuilder out, boolean empty, int indent, int level) {
    return empty || indent < 0 ? out : out.append('\n').append(" ".repeat(indent * level));
  }

  private static void jsonText(StringBuilder out, String text) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int escape = "\"\\\n\r\t\b\f".indexOf(c);
      if (escape >= 0) {
        out.append('\\').append("\"\\nrtbf".charAt(escape));
      } else if (c < 32) {
        out.append(String.format(Locale.ROOT, "\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
