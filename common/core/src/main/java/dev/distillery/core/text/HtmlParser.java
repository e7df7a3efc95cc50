package dev.distillery.core.text;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A forgiving HTML parser in one pass. It takes tags as they are written, like Python's {@code
 * html.parser} under Beautiful Soup, and unlike a browser it closes and invents no element: an end
 * tag closes the nearest open element of its name and all within it, and one without such an
 * element is skipped.
 *
 * <p>Input is not trusted: no page takes more than linear time, elements deeper than {@value
 * #MAX_DEPTH} are dropped (their text stays, in the deepest element that is kept), and what only
 * looks like a tag stays text. Comments, document types, and the contents of {@code script} and
 * {@code style} are dropped; a comment leaves an empty element called {@code #comment}.
 */
final class HtmlParser {
  /** Elements nested deeper than this are taken for their text alone. */
  static final int MAX_DEPTH = 200;

  private static final Set<String> VOID =
      Set.of(
          "area",
          "base",
          "basefont",
          "bgsound",
          "br",
          "col",
          "command",
          "embed",
          "frame",
          "hr",
          "image",
          "img",
          "input",
          "isindex",
          "keygen",
          "link",
          "menuitem",
          "meta",
          "nextid",
          "param",
          "source",
          "spacer",
          "track",
          "wbr");

  private final String html;
  private final HtmlNode root = HtmlNode.element("", Map.of(), null);
  private final StringBuilder text = new StringBuilder();
  private final Map<String, Integer> openTags = new HashMap<>();
  private final Map<String, Integer> droppedTags = new HashMap<>();
  private HtmlNode current = root;
  private int depth;
  private int openPre;
  private int at;

  /** From here on nothing can be a tag: a scan for the end of one has run off the page. */
  private int tagsEnd;

  private final LastPlace doubleQuote = new LastPlace("\"");
  private final LastPlace singleQuote = new LastPlace("'");
  private final LastPlace commentEnd = new LastPlace("-->");

  private HtmlParser(String html) {
    this.html = html;
    this.tagsEnd = html.length();
  }

  /** Where something stands last in the page, looked for once and only if it matters. */
  private final class LastPlace {
    private final String what;
    private int place = Integer.MIN_VALUE;

    LastPlace(String what) {
      this.what = what;
    }

    boolean isBefore(int from) {
      if (place == Integer.MIN_VALUE) {
        place = html.lastIndexOf(what);
      }
      return place < from;
    }
  }

  /** The page as a tree, under an element without a name. */
  static HtmlNode parse(String html) {
    HtmlParser parser = new HtmlParser(html);
    parser.run();
    return parser.root;
  }

  private void run() {
    int length = html.length();
    int tag = next('<', 0);
    int reference = next('&', 0);
    while (at < length) {
      char c = html.charAt(at);
      if (c == '<') {
        markup();
      } else if (c == '&') {
        at = HtmlEntities.appendReference(html, at, true, text);
      } else {
        reference = reference < at ? next('&', at) : reference;
        tag = tag < at ? next('<', at) : tag;
        int end = Math.min(tag, reference);
        text.append(html, at, end);
        at = end;
      }
    }
    flushText();
  }

  private int next(char c, int from) {
    int next = html.indexOf(c, from);
    return next < 0 ? html.length() : next;
  }

  private void markup() {
    char next = at + 1 < html.length() ? html.charAt(at + 1) : ' ';
    boolean done =
        switch (next) {
          case '/' -> endTag();
          case '!' -> html.startsWith("<!--", at) ? comment() : declaration(false);
          case '?' -> declaration(true);
          default -> isLetter(next) && startTag();
        };
    if (!done) {
      text.append('<');
      at++;
    }
  }

  private boolean comment() {
    if (commentEnd.isBefore(at + 4)) {
      return false;
    }
    skipTo(html.indexOf("-->", at + 4) + 3);
    addComment();
    return true;
  }

  /** A processing instruction is kept as text, without its brackets: it may be someone's PHP. */
  private boolean declaration(boolean keepText) {
    int end = indexOfTagEnd(at + 2);
    if (end < 0) {
      return false;
    }
    int start = at + 2;
    skipTo(end + 1);
    if (keepText) {
      text.append(html, start, end);
      flushText();
    } else {
      addComment();
    }
    return true;
  }

  private boolean endTag() {
    int end = indexOfTagEnd(at + 2);
    if (end < 0) {
      return false;
    }
    int nameStart = at + 2;
    while (nameStart < end && Whitespace.isSpace(html.charAt(nameStart))) {
      nameStart++;
    }
    int nameEnd = nameEnd(nameStart, end);
    if (nameEnd > nameStart && isLetter(html.charAt(nameStart))) {
      flushText();
      close(lowerCase(nameStart, nameEnd));
    }
    at = end + 1;
    return true;
  }

  private boolean startTag() {
    if (at >= tagsEnd) {
      return false;
    }
    int nameEnd = nameEnd(at + 1, tagsEnd);
    String name = lowerCase(at + 1, nameEnd);
    Attributes attributes = new Attributes();
    int end = attributes.read(nameEnd);
    if (end < 0) {
      return false;
    }
    flushText();
    at = end;
    if (name.equals("script") || name.equals("style")) {
      if (!attributes.selfClosing) {
        skipRawText(name);
      }
      return true;
    }
    boolean opens = !attributes.selfClosing && !VOID.contains(name);
    if (depth < MAX_DEPTH) {
      HtmlNode element = HtmlNode.element(name, attributes.values(), current);
      current.children.add(element);
      if (opens) {
        open(element);
      }
    } else if (opens) {
      droppedTags.merge(name, 1, Integer::sum);
    }
    return true;
  }

  private void open(HtmlNode element) {
    current = element;
    depth++;
    openTags.merge(element.name, 1, Integer::sum);
    if (keepsSpace(element.name)) {
      openPre++;
    }
  }

  private void close(String name) {
    if (droppedTags.getOrDefault(name, 0) > 0) {
      droppedTags.merge(name, -1, Integer::sum);
      return;
    }
    if (openTags.getOrDefault(name, 0) == 0) {
      return;
    }
    boolean found = false;
    while (!found && current.parent != null) {
      found = current.name.equals(name);
      openTags.merge(current.name, -1, Integer::sum);
      if (keepsSpace(current.name)) {
        openPre--;
      }
      current = current.parent;
      depth--;
    }
  }

  private static boolean keepsSpace(String name) {
    return name.equals("pre") || name.equals("textarea");
  }

  private void skipRawText(String name) {
    int end = html.indexOf("</", at);
    while (end >= 0 && !html.regionMatches(true, end + 2, name, 0, name.length())) {
      end = html.indexOf("</", end + 2);
    }
    at = end < 0 ? html.length() : end;
  }

  private void skipTo(int end) {
    flushText();
    at = end;
  }

  /** A comment says nothing, but it is a neighbour: it keeps two runs of text apart. */
  private void addComment() {
    current.children.add(HtmlNode.element("#comment", Map.of(), current));
  }

  /** White space alone, outside of {@code pre}, is one newline or one space. */
  private void flushText() {
    if (text.isEmpty()) {
      return;
    }
    String value = text.toString();
    text.setLength(0);
    if (openPre == 0 && isAsciiSpace(value)) {
      value = value.indexOf('\n') >= 0 ? "\n" : " ";
    }
    current.children.add(HtmlNode.text(value, current));
  }

  private int indexOfTagEnd(int from) {
    if (from >= tagsEnd) {
      return -1;
    }
    int end = html.indexOf('>', from);
    if (end < 0) {
      tagsEnd = from;
    }
    return end;
  }

  private int nameEnd(int from, int limit) {
    int end = from;
    while (end < limit) {
      char c = html.charAt(end);
      if (c == '>' || c == '/' || c <= ' ') {
        break;
      }
      end++;
    }
    return end;
  }

  private String lowerCase(int start, int end) {
    return html.substring(start, end).toLowerCase(Locale.ROOT);
  }

  private static boolean isLetter(char c) {
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  }

  private static boolean isAsciiSpace(String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c != ' ' && (c < '\t' || c > '\r' || c == 0x0B)) {
        return false;
      }
    }
    return true;
  }

  /** Reads the attributes of one start tag. */
  private final class Attributes {
    private @Nullable Map<String, String> values;
    private boolean selfClosing;

    Map<String, String> values() {
      return values == null ? Map.of() : values;
    }

    /** The position after the tag, or -1 where no tag ends. */
    int read(int from) {
      int i = from;
      while (i < tagsEnd) {
        char c = html.charAt(i);
        if (c == '>') {
          return i + 1;
        } else if (c == '/') {
          selfClosing = i + 1 < tagsEnd && html.charAt(i + 1) == '>';
          i++;
        } else if (Whitespace.isSpace(c)) {
          i++;
        } else {
          i = attribute(i);
        }
      }
      tagsEnd = Math.min(tagsEnd, at);
      return -1;
    }

    private int attribute(int from) {
      int nameEnd = from + 1;
      while (nameEnd < tagsEnd && !endsName(html.charAt(nameEnd))) {
        nameEnd++;
      }
      int i = skipSpace(nameEnd);
      if (i >= tagsEnd || html.charAt(i) != '=') {
        put(from, nameEnd, "");
        return nameEnd;
      }
      i = skipSpace(i + 1);
      char quote = i < tagsEnd ? html.charAt(i) : ' ';
      int quoted = quote == '"' || quote == '\'' ? closingQuote(quote, i + 1) : -1;
      if (quoted >= 0) {
        put(from, nameEnd, HtmlEntities.unescape(html.substring(i + 1, quoted)));
        return quoted + 1;
      }
      int valueEnd = i;
      while (valueEnd < tagsEnd
          && html.charAt(valueEnd) != '>'
          && !Whitespace.isSpace(html.charAt(valueEnd))) {
        valueEnd++;
      }
      put(from, nameEnd, HtmlEntities.unescape(html.substring(i, valueEnd)));
      return valueEnd;
    }

    /** A quote that is not closed anywhere is looked for once in a page, not once in a tag. */
    private int closingQuote(char quote, int from) {
      LastPlace last = quote == '"' ? doubleQuote : singleQuote;
      return last.isBefore(from) ? -1 : html.indexOf(quote, from);
    }

    private void put(int nameStart, int nameEnd, String value) {
      if (values == null) {
        values = new HashMap<>();
      }
      values.put(lowerCase(nameStart, nameEnd), value);
    }

    private int skipSpace(int from) {
      int i = from;
      while (i < tagsEnd && Whitespace.isSpace(html.charAt(i))) {
        i++;
      }
      return i;
    }

    private static boolean endsName(char c) {
      return c == '>' || c == '/' || c == '=' || Whitespace.isSpace(c);
    }
  }
}
