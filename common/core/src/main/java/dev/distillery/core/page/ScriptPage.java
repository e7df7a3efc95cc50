package dev.distillery.core.page;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Locale;

/**
 * A page that one script of ours builds from data, as one HTML file. Its browser may run that
 * script and no other, load nothing, and talk to nobody, or to the server that gave the page alone.
 *
 * @param title shown by the browser
 * @param style the style sheet
 * @param script finds the data in the element {@code data}
 * @param data as JSON; any text in it stays text
 */
public record ScriptPage(String title, String style, String script, String data) {
  /** The page, for a browser that talks to nobody. */
  public String alone() {
    return html("'none'");
  }

  /** The page, for a browser that may ask the server that gave it. */
  public String served() {
    return html("'self'");
  }

  private String html(String connect) {
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        + "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src"
        + " 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-"
        + sha256(script)
        + "'; connect-src "
        + connect
        + "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        + "<meta name=\"referrer\" content=\"no-referrer\">\n<title>"
        + Page.escaped(title)
        + "</title>\n<style>"
        + style
        + "</style></head>\n<body>\n<script id=\"data\" type=\"application/json\">"
        + embedded(data)
        + "</script>\n<script>"
        + script
        + "</script></body></html>\n";
  }

  private static String sha256(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return Base64.getEncoder().encodeToString(digest);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  /**
   * JSON that means the same and can stand in a page: what could end the element, a line of a
   * script or the order of letters, and halves of characters, which UTF-8 has not, as escapes. In
   * JSON these stand in strings only.
   */
  static String embedded(String json) {
    var text = new StringBuilder(json.length() + 64);
    for (int i = 0; i < json.length(); i++) {
      char c = json.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < json.length()
          && Character.isLowSurrogate(json.charAt(i + 1))) {
        text.append(c).append(json.charAt(++i));
      } else if (c == '<' || c == '>' || c == '&' || Character.isSurrogate(c) || isMark(c)) {
        text.append("\\u").append(hex(c));
      } else {
        text.append(c);
      }
    }
    return text.toString();
  }

  /** Ends of lines and paragraphs, and marks of direction. */
  private static boolean isMark(char c) {
    return (c >= '\u200E' && c <= '\u200F')
        || (c >= '\u2028' && c <= '\u202E')
        || (c >= '\u2066' && c <= '\u2069')
        || c == '\u061C'
        || c == '\uFEFF';
  }

  private static String hex(char c) {
    return String.format(Locale.ROOT, "%04x", (int) c);
  }
}
