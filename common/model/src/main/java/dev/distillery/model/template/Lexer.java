package dev.distillery.model.template;

import java.util.ArrayList;
import java.util.List;

/**
 * Cuts a template into words as Jinja 3.1 does with {@code trim_blocks} and {@code lstrip_blocks},
 * which is how transformers and llama.cpp run chat templates.
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "//", "**", "==", "!=", ">=", "<=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ":", ".", "|", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  /** The words, the last of kind END. */
  static List<Token> tokens(String template) {
    String source = template.replace("\r\n", "\n").replace('\r', '\n');
    if (source.endsWith("\n")) {
      source = source.substring(0, source.length() - 1);
    }
    return new Lexer(source).run();
  }

  private List<Token> run() {
    while (at < source.length()) {
      int mark = nextMark();
      if (mark < 0) {
        data(source.substring(at));
        move(source.length());
        break;
      }
      char kind = source.charAt(mark + 1);
      char sign = mark + 2 < source.length() ? source.charAt(mark + 2) : ' ';
      boolean signed = sign == '-' || (sign == '+' && kind != '{');
      data(stripped(source.substring(at, mark), kind, signed ? sign : ' '));
      move(mark + (signed ? 3 : 2));
      switch (kind) {
        case '#' -> comment();
        case '{' -> {
          add(Token.Kind.VARIABLE_BEGIN, "{{");
          words("}}", Token.Kind.VARIABLE_END);
        }
        default -> block();
      }
    }
    add(Token.Kind.END, "");
    return tokens;
  }

  /** Where the next of the marks stands that open something; -1 if there is none. */
  private int nextMark() {
    for (int i = at; (i = source.indexOf('{', i)) >= 0 && i + 1 < source.length(); i++) {
      char next = source.charAt(i + 1);
      if (next == '{' || next == '%' || next == '#') {
        return i;
      }
    }
    return -1;
  }

  private String stripped(String text, char kind, char sign) {
    if (sign == '-') {
      return text.substring(0, PythonText.stripEnd(text, 0));
    }
    if (kind != '{' && sign != '+') {
      int start = text.lastIndexOf('\n') + 1;
      if ((start > 0 || lineStarting) && PythonText.isSpace(text, start)) {
        return text.substring(0, start);
      }
    }
    return text;
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      add(Token.Kind.DATA, text);
    }
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw error("a comment is not closed");
    }
    boolean strips = source.charAt(end - 1) == '-' && end - 1 >= at;
    boolean keeps = source.charAt(end - 1) == '+' && end - 1 >= at;
    move(end + 2);
    closed(strips, !keeps);
  }

  private void block() {
    int word = skipSpace(at);
    if (source.startsWith("raw", word)) {
      int close = skipSpace(word + 3);
      boolean strips = source.startsWith("-%}", close);
      if (strips || source.startsWith("%}", close)) {
        move(close + (strips ? 3 : 2));
        closed(strips, true);
        raw();
        return;
      }
    }
    add(Token.Kind.BLOCK_BEGIN, "{%");
    words("%}", Token.Kind.BLOCK_END);
  }

  private void raw() {
    for (int i = at; (i = source.indexOf("{%", i)) >= 0; i++) {
      int sign = i + 2 < source.length() && "-+".indexOf(source.charAt(i + 2)) >= 0 ? 1 : 0;
      int word = skipSpace(i + 2 + sign);
      if (source.startsWith("endraw", word)) {
        int close = skipSpace(word + 6);
        boolean strips = source.startsWith("-%}", close);
        if (strips || source.startsWith("%}", close)) {
          data(stripped(source.substring(at, i), '%', sign == 1 ? source.charAt(i + 2) : ' '));
          move(close + (strips ? 3 : 2));
          closed(strips, true);
          return;
        }
      }
    }
    throw error("raw is not closed");
  }

  /** Behind a block or a comment: all white space goes with a minus, else one line's end. */
  private void closed(boolean strips, boolean trims) {
    if (strips) {
      move(skipSpace(at));
    } else if (trims && at < source.length() && source.charAt(at) == '\n') {
      move(at + 1);
    }
  }

  private void words(String close, Token.Kind end) {
    int depth = 0;
    while (true) {
      move(skipSpace(at));
      if (at >= source.length()) {
        throw error("'" + close + "' is missing");
      }
      char c = source.charAt(at);
      if (depth == 0) {
        int sign = c == '-' || (c == '+' && end == Token.Kind.BLOCK_END) ? 1 : 0;
        if (source.startsWith(close, at + sign)) {
          add(end, close);
          move(at + sign + 2);
          closed(c == '-', end == Token.Kind.BLOCK_END && c != '+');
          return;
        }
      }
      if (c == '"' || c == '\'') {
        string(c);
      } else if (Character.isDigit(c)) {
        number();
      } else if (Character.isUnicodeIdentifierStart(c) || c == '_') {
        int to = at + 1;
        while (to < source.length()
            && (Character.isUnicodeIdentifierPart(source.charAt(to)) || source.charAt(to) == '_')) {
          to++;
        }
        add(Token.Kind.NAME, source.substring(at, to));
        move(to);
      } else {
        String operator =
            OPERATORS.stream()
                .filter(o -> source.startsWith(o, at))
                .findFirst()
                .orElseThrow(() -> error("'" + c + "' is not understood"));
        depth += "([{".contains(operator) ? 1 : ")]}".contains(operator) ? -1 : 0;
        add(Token.Kind.OPERATOR, operator);
        move(at + operator.length());
      }
    }
  }

  private void string(char quote) {
    int to = at + 1;
    while (to < source.length() && source.charAt(to) != quote) {
      to += source.charAt(to) == '\\' ? 2 : 1;
    }
    if (to >= source.length()) {
      throw error("a text is not closed");
    }
    add(Token.Kind.STRING, unescaped(source.substring(at + 1, to)));
    move(to + 1);
  }

  /** What Python's unicode_escape makes of it; an unknown escape stays as it is. */
  private String unescaped(String text) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char next = text.charAt(++i);
      int digits = next == 'x' ? 2 : next == 'u' ? 4 : next == 'U' ? 8 : 0;
      if (digits > 0) {
        try {
          out.appendCodePoint(Integer.parseInt(text.substring(i + 1, i + 1 + digits), 16));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
          throw error("'\\" + next + "' needs " + digits + " hexadecimal digits of a character");
        }
        i += digits;
        continue;
      }
      if (next == 'N' && text.startsWith("{", i + 1) && text.indexOf('}', i) > 0) {
        int close = text.indexOf('}', i);
        try {
          out.appendCodePoint(Character.codePointOf(text.substring(i + 2, close)));
        } catch (IllegalArgumentException e) {
          throw error("there is no character '" + text.substring(i + 2, close) + "'");
        }
        i = close;
        continue;
      }
      if (next >= '0' && next <= '7') {
        int to = i;
        while (to < text.length()
            && to < i + 3
            && text.charAt(to) >= '0'
            && text.charAt(to) <= '7') {
          to++;
        }
        out.append((char) Integer.parseInt(text.substring(i, to), 8));
        i = to - 1;
        continue;
      }
      int known = "ntrabfv\\'\"\n".indexOf(next);
      if (known < 0) {
        out.append('\\').append(next);
      } else if (next != '\n') {
        out.append("\n\t\r\u0007\b\f\u000b\\'\"".charAt(known));
      }
    }
    return out.toString();
  }

  private void number() {
    int to = digits(at);
    boolean real = false;
    if (to + 1 < source.length()
        && source.charAt(to) == '.'
        && Character.isDigit(source.charAt(to + 1))) {
      to = digits(to + 1);
      real = true;
    }
    if (to < source.length() && (source.charAt(to) | 32) == 'e') {
      int sign = to + 1 < source.length() && "+-".indexOf(source.charAt(to + 1)) >= 0 ? 1 : 0;
      if (to + 1 + sign < source.length() && Character.isDigit(source.charAt(to + 1 + sign))) {
        to = digits(to + 1 + sign);
        real = true;
      }
    }
    add(real ? Token.Kind.FLOAT : Token.Kind.INTEGER, source.substring(at, to).replace("_", ""));
    move(to);
  }

  private int digits(int from) {
    int to = from;
    while (to < source.length()
        && (Character.isDigit(source.charAt(to)) || source.charAt(to) == '_')) {
      to++;
    }
    return to;
  }

  private int skipSpace(int from) {
    int to = from;
    while (to < source.length() && PythonText.isSpace(source.charAt(to))) {
      to++;
    }
    return to;
  }

  private void add(Token.Kind kind, String value) {
    tokens.add(new Token(kind, value, line));
  }

  private void move(int to) {
    for (int i = at; i < to; i++) {
      line += source.charAt(i) == '\n' ? 1 : 0;
    }
    lineStarting = to > at ? source.charAt(to - 1) == '\n' : lineStarting;
    at = to;
  }

  private TemplateException error(String what) {
    return new TemplateException("Line " + line + " of the chat template: " + what);
  }
}
