package dev.distillery.datasets;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;

/**
 * Reads {@code <row A="..." B="..."/>}, the one element of Stack Exchange's dumps, without an XML
 * parser: no document types, no entities but XML's own five, nothing that grows.
 */
final class XmlRow {
  private static final String START = "<row";

  private final String line;
  private int at;

  private XmlRow(String line) {
    this.line = line;
  }

  /**
   * Fills {@code attributes} from a line; empty where the line is the prologue or the root's tag.
   *
   * @throws RejectedRowException with {@code invalid_xml}
   */
  static Optional<ObjectNode> parse(String text, ObjectNode attributes)
      throws RejectedRowException {
    String line = withoutComments(text.strip());
    if (!line.startsWith(START)) {
      boolean frame = line.isEmpty() || line.startsWith("<?xml") || line.matches("</?\\w+>");
      if (frame) {
        return Optional.empty();
      }
      throw new RejectedRowException(
          "invalid_xml", "Expected a <row .../>; the line begins with something else");
    }
    new XmlRow(line).read(attributes);
    return Optional.of(attributes);
  }

  private static String withoutComments(String line) throws RejectedRowException {
    String rest = line;
    while (rest.startsWith("<!--")) {
      int end = rest.indexOf("-->", 4);
      if (end < 0) {
        throw new RejectedRowException(
            "invalid_xml", "A comment among the rows does not end on its line");
      }
      rest = rest.substring(end + 3).strip();
    }
    return rest;
  }

  private void read(ObjectNode attributes) throws RejectedRowException {
    at = START.length();
    while (true) {
      boolean spaced = skipSpace();
      if (line.startsWith("/>", at)) {
        if (at + 2 != line.length()) {
          throw invalid("text after the row");
        }
        return;
      }
      if (!spaced) {
        throw invalid("no space before an attribute");
      }
      int equals = line.indexOf('=', at);
      if (equals < 0 || equals == at) {
        throw invalid("no attribute and no end of the row");
      }
      String name = line.substring(at, equals);
      at = equals + 1;
      if (!name.chars().allMatch(Character::isLetterOrDigit) || attributes.has(name)) {
        throw invalid("a malformed or repeated attribute");
      }
      attributes.put(name, value());
    }
  }

  private boolean skipSpace() {
    int start = at;
    while (at < line.length() && line.charAt(at) <= ' ') {
      at++;
    }
    return at > start;
  }

  private String value() throws RejectedRowException {
    char quote = at < line.length() ? line.charAt(at) : ' ';
    int end = quote == '"' || quote == '\'' ? line.indexOf(quote, at + 1) : -1;
    if (end < 0) {
      throw invalid("an attribute without closing quote");
    }
    String raw = line.substring(at + 1, end);
    at = end + 1;
    if (raw.indexOf('<') >= 0) {
      throw invalid("a bracket within an attribute");
    }
    return raw.indexOf('&') < 0 ? raw : unescape(raw);
  }

  private String unescape(String raw) throws RejectedRowException {
    StringBuilder out = new StringBuilder(raw.length());
    int from = 0;
    int ampersand = raw.indexOf('&');
    while (ampersand >= 0) {
      out.append(raw, from, ampersand);
      int end = raw.indexOf(';', ampersand);
      if (end < 0 || end - ampersand > 12) {
        throw invalid("an ampersand that begins no reference");
      }
      reference(raw.substring(ampersand + 1, end), out);
      from = end + 1;
      ampersand = raw.indexOf('&', from);
    }
    return out.append(raw, from, raw.length()).toString();
  }

  private void reference(String name, StringBuilder out) throws RejectedRowException {
    switch (name) {
      case "lt" -> out.append('<');
      case "gt" -> out.append('>');
      case "amp" -> out.append('&');
      case "quot" -> out.append('"');
      case "apos" -> out.append('\'');
      default -> {
        int point = character(name);
        boolean control = point < ' ' && point != '\t' && point != '\n' && point != '\r';
        // XML knows no control characters; dumps refer to them, and the post is worth more.
        if (!control) {
          out.appendCodePoint(point);
        }
      }
    }
  }

  private int character(String name) throws RejectedRowException {
    boolean hexadecimal = name.startsWith("#x");
    int first = hexadecimal ? 2 : 1;
    boolean reference = name.startsWith("#") && name.length() > first && name.length() <= 8;
    int point = reference ? 0 : -1;
    for (int i = first; i < name.length() && point >= 0; i++) {
      char c = name.charAt(i);
      int digit = c < 0x80 ? Character.digit(c, hexadecimal ? 16 : 10) : -1;
      point = digit < 0 ? -1 : point * (hexadecimal ? 16 : 10) + digit;
    }
    boolean surrogate = point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
    if (point <= 0 || surrogate || point > Character.MAX_CODE_POINT) {
      throw invalid("the reference &" + name + "; which XML does not know or allow");
    }
    return point;
  }

  private RejectedRowException invalid(String found) {
    return new RejectedRowException("invalid_xml", "Found " + found + ", near character " + at);
  }
}
