package dev.distillery.core.text;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * HTML to Markdown, with code kept to the letter. The result is that of markdownify 0.11.6 over
 * Beautiful Soup's {@code html.parser}, which FastChat cleaned the Vicuna dialogues with: headings
 * one and two underlined, {@code *} and {@code _} escaped outside of code, bullets {@code *},
 * {@code +}, {@code -} by depth, tables with pipes, code blocks fenced.
 *
 * <p>It differs where that corrupts text or falls over: scripts and styles are dropped; an unknown
 * character reference keeps its semicolon; a name without a semicolon is a reference only where
 * browsers take it for one; a list's {@code start} that is no number counts as 1; {@code <list>}
 * and the like are not taken for lists; elements deeper than 200 are read for their text alone.
 */
public final class HtmlToMarkdown {
  private static final String BULLETS = "*+-";

  /** Nested quotes and lists repeat their marks on every line: no page may grow more than this. */
  private static final int MAX_GROWTH = 8;

  private static final int ALWAYS_ALLOWED = 1 << 20;

  private final long maxLength;

  private HtmlToMarkdown(long maxLength) {
    this.maxLength = maxLength;
  }

  /**
   * {@code html} as Markdown; white space at its ends is left to the caller.
   *
   * @throws IllegalArgumentException if the Markdown would be more than 8 times as long as the page
   *     (and than a million characters): nesting that no reader wrote
   */
  public static String convert(String html) {
    long maxLength = Math.max(ALWAYS_ALLOWED, (long) MAX_GROWTH * html.length());
    return new HtmlToMarkdown(maxLength).children(HtmlParser.parse(html), false);
  }

  private String children(HtmlNode node, boolean inline) {
    if (isNesting(node)) {
      dropSpaceBetweenItems(node);
    }
    StringBuilder out = new StringBuilder();
    List<HtmlNode> children = node.children;
    for (int i = 0; i < children.size(); i++) {
      HtmlNode child = children.get(i);
      String text = child.text;
      if (text != null) {
        out.append(text(text, node, i + 1 < children.size() ? children.get(i + 1) : null));
      } else {
        out.append(element(child, i, inline));
      }
    }
    return out.toString();
  }

  /** Lists and tables: what lies between their items is layout, not text. */
  private static boolean isNesting(HtmlNode node) {
    return switch (node.name) {
      case "ol", "ul", "li", "table", "thead", "tbody", "tfoot", "tr", "td", "th" -> true;
      default -> false;
    };
  }

  private static void dropSpaceBetweenItems(HtmlNode node) {
    List<HtmlNode> children = node.children;
    // The reference removes while it iterates, so the node after a removed one is never looked at.
    for (int i = 0; i < children.size(); i++) {
      String text = children.get(i).text;
      boolean atEdge = i == 0 || i == children.size() - 1;
      if (text != null
          && Whitespace.isBlank(text)
          && (atEdge || isNesting(children.get(i - 1)) || isNesting(children.get(i + 1)))) {
        children.remove(i);
      }
    }
  }

  private static String text(String raw, HtmlNode parent, @Nullable HtmlNode next) {
    boolean pre = parent.name.equals("pre");
    boolean code = parent.name.equals("code");
    boolean codeInPre = code && parent.parent != null && parent.parent.name.equals("pre");
    String text = pre || codeInPre ? raw : collapseBlanks(raw);
    if (!pre && !code) {
      text = escape(text);
    }
    if (parent.name.equals("li")
        && (next == null || next.name.equals("ul") || next.name.equals("ol"))) {
      text = Whitespace.stripTrailing(text);
    }
    return text;
  }

  private String element(HtmlNode node, int index, boolean inline) {
    boolean inlineChildren = inline || isHeading(node.name) || isCell(node);
    String text = children(node, inlineChildren);
    return switch (node.name) {
      case "a" -> link(node, text);
      case "b", "strong" -> marked(text, "**");
      case "em", "i" -> marked(text, "*");
      case "del", "s" -> marked(text, "~~");
      case "sub", "sup" -> marked(text, "");
      case "code", "kbd", "samp" -> isIn(node, "pre") ? text : marked(text, "`");
      case "blockquote" ->
          inline || text.isEmpty() ? text : '\n' + prefixLines(text, "> ") + "\n\n";
      case "br" -> inline ? "" : "  \n";
      case "h1", "h2", "h3", "h4", "h5", "h6" -> inline ? text : heading(node.name, text);
      case "hr" -> "\n\n---\n\n";
      case "img" -> image(node, inline);
      case "li" -> item(node, index, text);
      case "ol", "ul" -> list(node, index, text);
      case "p" -> inline || text.isEmpty() ? text : text + "\n\n";
      case "pre" -> text.isEmpty() ? "" : "\n```\n" + text + "\n```\n";
      case "table" -> "\n\n" + text + '\n';
      case "td", "th" -> ' ' + text + " |";
      case "tr" -> row(node, index, text);
      default -> text;
    };
  }

  private static boolean isHeading(String name) {
    return name.length() == 2
        && name.charAt(0) == 'h'
        && name.charAt(1) >= '1'
        && name.charAt(1) <= '6';
  }

  private static boolean isCell(HtmlNode node) {
    return node.name.equals("td") || node.name.equals("th");
  }

  private static boolean isIn(HtmlNode node, String parent) {
    return node.parent != null && node.parent.name.equals(parent);
  }

  /** Marks go around the words: a space at either end moves out of them. */
  private static String marked(String text, String mark) {
    String words = Whitespace.strip(text);
    return words.isEmpty() ? "" : spaceBefore(text) + mark + words + mark + spaceAfter(text);
  }

  private static String spaceBefore(String text) {
    return text.startsWith(" ") ? " " : "";
  }

  private static String spaceAfter(String text) {
    return text.endsWith(" ") ? " " : "";
  }

  private static String link(HtmlNode node, String text) {
    String words = Whitespace.strip(text);
    String href = node.attributes.getOrDefault("href", "");
    if (words.isEmpty() || href.isEmpty()) {
      return words;
    }
    String title = title(node);
    if (title.isEmpty() && words.replace("\\_", "_").equals(href)) {
      return '<' + href + '>';
    }
    return spaceBefore(text) + '[' + words + "](" + href + title + ')' + spaceAfter(text);
  }

  private static String image(HtmlNode node, boolean inline) {
    String alternative = node.attributes.getOrDefault("alt", "");
    String source = node.attributes.getOrDefault("src", "");
    return inline ? alternative : "![" + alternative + "](" + source + title(node) + ')';
  }

  private static String title(HtmlNode node) {
    String title = node.attributes.getOrDefault("title", "");
    return title.isEmpty() ? "" : " \"" + title.replace("\"", "\\\"") + '"';
  }

  private static String heading(String name, String text) {
    int level = name.charAt(1) - '0';
    String words = Whitespace.stripTrailing(text);
    if (level > 2) {
      return "#".repeat(level) + ' ' + words + "\n\n";
    }
    String line = (level == 1 ? "=" : "-").repeat(words.codePointCount(0, words.length()));
    return words.isEmpty() ? "" : words + '\n' + line + "\n\n";
  }

  private static String item(HtmlNode node, int index, String text) {
    String bullet;
    if (isIn(node, "ol")) {
      bullet = (start(node.parent) + index) + ".";
    } else {
      int depth = -1;
      for (HtmlNode within = node; within != null; within = within.parent) {
        depth += within.name.equals("ul") ? 1 : 0;
      }
      bullet = String.valueOf(BULLETS.charAt(Math.floorMod(depth, BULLETS.length())));
    }
    return bullet + ' ' + Whitespace.strip(text) + '\n';
  }

  private static long start(HtmlNode list) {
    String start = list.attributes.getOrDefault("start", "1");
    return start.matches("-?[0-9]{1,9}") ? Long.parseLong(start) : 1;
  }

  private String list(HtmlNode node, int index, String text) {
    if (node.isWithin("li")) {
      return '\n' + Whitespace.stripTrailing(prefixLines(text, "\t"));
    }
    List<HtmlNode> siblings = node.parent == null ? List.of() : node.parent.children;
    boolean last = index + 1 >= siblings.size();
    boolean listFollows =
        !last
            && (siblings.get(index + 1).name.equals("ul")
                || siblings.get(index + 1).name.equals("ol"));
    return last || listFollows ? text : text + '\n';
  }

  private String row(HtmlNode node, int index, String text) {
    List<HtmlNode> cells = new ArrayList<>();
    collectCells(node, cells);
    checkLength(text.length() + 10L * cells.size());
    String rule = "| " + String.join(" | ", Collections.nCopies(cells.size(), "---")) + " |\n";
    boolean headings = cells.stream().allMatch(cell -> cell.name.equals("th"));
    if (index == 0 && headings) {
      return '|' + text + '\n' + rule;
    }
    HtmlNode parent = node.parent;
    boolean firstOfTable =
        index == 0
            && parent != null
            && (parent.name.equals("table")
                || (parent.name.equals("tbody")
                    && (parent.parent == null || parent.parent.children.get(0) == parent)));
    if (!firstOfTable) {
      return '|' + text + '\n';
    }
    String blank = "| " + String.join(" | ", Collections.nCopies(cells.size(), "")) + " |\n";
    return blank + rule + '|' + text + '\n';
  }

  private static void collectCells(HtmlNode node, List<HtmlNode> cells) {
    for (HtmlNode child : node.children) {
      if (isCell(child)) {
        cells.add(child);
      }
      collectCells(child, cells);
    }
  }

  private String prefixLines(String text, String prefix) {
    if (text.isEmpty()) {
      return "";
    }
    long lines = text.chars().filter(c -> c == '\n').count() + 1;
    checkLength(text.length() + lines * prefix.length());
    return prefix + text.replace("\n", "\n" + prefix);
  }

  private void checkLength(long length) {
    if (length > maxLength) {
      throw new IllegalArgumentException(
          "The page grows to more than "
              + maxLength
              + " characters of Markdown: nested too deeply");
    }
  }

  /** Blanks and tabs become one blank, where there are several or a tab. */
  private static String collapseBlanks(String text) {
    if (text.indexOf("  ") < 0 && text.indexOf('\t') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    boolean blank = false;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c != ' ' && c != '\t') {
        out.append(c);
        blank = false;
      } else if (!blank) {
        out.append(' ');
        blank = true;
      }
    }
    return out.toString();
  }

  private static String escape(String text) {
    if (text.indexOf('*') < 0 && text.indexOf('_') < 0) {
      return text;
    }
    return text.replace("*", "\\*").replace("_", "\\_");
  }
}
