package dev.distillery.datasets.sharegpt;

import dev.distillery.core.text.HtmlToMarkdown;
import dev.distillery.core.text.Whitespace;
import java.util.regex.Pattern;

/**
 * From what was copied off ChatGPT's page to Markdown, as FastChat's clean_sharegpt does it, in
 * linear time on any input.
 */
final class PageText {
  private static final String COPY_CODE = "Copy code";
  private static final String FENCE = "```";
  private static final Pattern COUNTER = Pattern.compile("\\p{Nd}+ / \\p{Nd}+");
  private static final Pattern COPY_CHARS = Pattern.compile("Copy\\p{Nd}+ chars / \\p{Nd}+ words");

  private PageText() {}

  /**
   * HTML as Markdown; {@code div} and {@code span} are taken off first, or code loses its indents.
   */
  static String markdown(String html) {
    String bare = removeTags(removeTags(html, "<div"), "<span");
    return Whitespace.strip(HtmlToMarkdown.convert(bare));
  }

  /** Text without the page's buttons and counters, its code blocks repaired. */
  static String withoutNoise(String text) {
    String clean = repairCode(text);
    var counter = COUNTER.matcher(clean);
    if (counter.lookingAt()) {
      clean = clean.substring(counter.end());
    }
    if (clean.contains(" chars / ")) {
      clean = COPY_CHARS.matcher(clean).replaceAll("");
    }
    clean = removeEmptyCode(clean);
    return Whitespace.strip(clean.replace("\n\n\n", "\n"));
  }

  /** Removes whatever begins with {@code open} and ends with a bracket on the same line. */
  private static String removeTags(String html, String open) {
    int start = html.indexOf(open);
    if (start < 0) {
      return html;
    }
    StringBuilder out = new StringBuilder(html.length());
    int copied = 0;
    int newline = -1;
    int end = -1;
    while (start >= 0) {
      if (end < start) {
        end = html.indexOf('>', start);
        if (end < 0) {
          break;
        }
      }
      if (newline < start) {
        newline = html.indexOf('\n', start);
        newline = newline < 0 ? html.length() : newline;
      }
      int next = start + open.length();
      if (end < newline) {
        out.append(html, copied, start);
        copied = end + 1;
        next = copied;
      }
      start = html.indexOf(open, next);
    }
    return out.append(html, copied, html.length()).toString();
  }

  /**
   * The page puts language and button before the code, {@code ```\npythonCopy codeprint()\n\n```}:
   * the language goes behind the fence, the button away.
   */
  private static String repairCode(String text) {
    int button = text.indexOf(COPY_CODE);
    if (button < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    int copied = 0;
    int fence = text.indexOf(FENCE);
    while (fence >= 0) {
      int language = skipSpace(text, fence + FENCE.length());
      button = text.indexOf(COPY_CODE, language);
      if (button < 0) {
        break;
      }
      int code = button + COPY_CODE.length();
      while (text.startsWith(COPY_CODE, code)) {
        code += COPY_CODE.length();
      }
      int close = text.indexOf(FENCE, code + 1);
      if (close < 0) {
        break;
      }
      int codeEnd = close;
      while (codeEnd > code + 1 && Whitespace.isSpace(text.charAt(codeEnd - 1))) {
        codeEnd--;
      }
      out.append(text, copied, fence).append(FENCE).append(text, language, button);
      out.append('\n').append(text, code, codeEnd).append('\n').append(FENCE);
      copied = close + FENCE.length();
      fence = text.indexOf(FENCE, copied);
    }
    return out.append(text, copied, text.length()).toString();
  }

  /** Removes a fence, the rest of its line up to the button, and the fence after that. */
  private static String removeEmptyCode(String text) {
    int button = text.indexOf(COPY_CODE);
    int fence = text.indexOf(FENCE);
    if (button < 0 || fence < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    int copied = 0;
    int closed = closedButton(text, fence + FENCE.length());
    int newline = -1;
    while (fence >= 0 && closed >= 0) {
      if (closed < fence + FENCE.length()) {
        closed = closedButton(text, fence + FENCE.length());
        continue;
      }
      if (newline < fence) {
        newline = text.indexOf('\n', fence);
        newline = newline < 0 ? text.length() : newline;
      }
      if (newline < closed) {
        fence = text.indexOf(FENCE, fence + 1);
        continue;
      }
      out.append(text, copied, fence);
      copied = skipSpace(text, closed + COPY_CODE.length()) + FENCE.length();
      fence = text.indexOf(FENCE, copied);
    }
    return out.append(text, copied, text.length()).toString();
  }

  /** The next button that only white space separates from a fence. */
  private static int closedButton(String text, int from) {
    int button = text.indexOf(COPY_CODE, from);
    while (button >= 0 && !text.startsWith(FENCE, skipSpace(text, button + COPY_CODE.length()))) {
      button = text.indexOf(COPY_CODE, button + 1);
    }
    return button;
  }

  private static int skipSpace(String text, int from) {
    int at = from;
    while (at < text.length() && Whitespace.isSpace(text.charAt(at))) {
      at++;
    }
    return at;
  }
}
