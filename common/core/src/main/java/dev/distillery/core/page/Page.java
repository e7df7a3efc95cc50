package dev.distillery.core.page;

import java.util.List;

/**
 * A page as one HTML file. All text given is shown as it is, markup in it too. No script, font or
 * picture is loaded, and the page forbids its reader's browser to.
 */
public final class Page {
  /** What every page begins with, and no page of others. */
  public static final String BEGINNING =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          + "<meta http-equiv=\"Content-Security-Policy\""
          + " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n";

  private static final String STYLE =
      ":root{color-scheme:light"
          + " dark;--ink:#222;--paper:#fff;--line:#ccc;--head:#f4f4f4;--bar:#2f6fb0;--grid:#e4e4e4}@media"
          + " screen and"
          + " (prefers-color-scheme:dark){:root{--ink:#e6e6e6;--paper:#17191c;--line:#4a4f55;"
          + "--head:#24282d;--bar:#6fa8dc;--grid:#33383e}}body{font:15px/1.5"
          + " system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0"
          + " 1rem;color:var(--ink);background:var(--paper)}a{color:inherit}"
          + "h1{font-size:1.6rem}h2{font-size:1.2rem;margin-top:2rem}table{border-collapse:collapse}td,th{border:1px"
          + " solid var(--line);padding:.2rem .6rem;text-align:left;"
          + "vertical-align:top;white-space:pre-wrap;overflow-wrap:break-word}th{background:var(--head)}figure{display:inline-block;margin:0"
          + " 1rem 1rem 0;max-width:100%}figcaption{font-weight:600}svg text{font:11px"
          + " system-ui,sans-serif;fill:var(--ink)}svg text.on{fill:#111}svg"
          + " .grid{stroke:var(--grid)}svg .bar{fill:var(--bar)}@media"
          + " print{:root{color-scheme:light}body{margin:0;max-width:none}figure,tr{break-inside:avoid}}";

  private final String title;
  private final StringBuilder body = new StringBuilder();

  /** An empty page. */
  public Page(String title) {
    this.title = title;
  }

  /** Begins a section. */
  public Page heading(String text) {
    body.append("<h2>").append(escaped(text)).append("</h2>\n");
    return this;
  }

  /** Adds a paragraph. */
  public Page paragraph(String text) {
    body.append("<p>").append(escaped(text)).append("</p>\n");
    return this;
  }

  /**
   * Adds a paragraph that leads elsewhere.
   *
   * @param target a path or an address, relative to the page or whole
   */
  public Page link(String text, String target) {
    body.append("<p><a href=\"").append(escaped(target)).append("\">");
    body.append(escaped(text)).append("</a></p>\n");
    return this;
  }

  /** Adds a table; line breaks of its cells are kept. */
  public Page table(List<String> columns, List<List<String>> rows) {
    body.append("<table><tr>");
    columns.forEach(
        column -> body.append("<th scope=\"col\">").append(escaped(column)).append("</th>"));
    body.append("</tr>\n");
    for (List<String> row : rows) {
      body.append("<tr>");
      row.forEach(cell -> body.append("<td>").append(escaped(cell)).append("</td>"));
      body.append("</tr>\n");
    }
    body.append("</table>\n");
    return this;
  }

  /** Adds a picture with its title above. */
  public Page plot(Picture plot) {
    body.append("<figure><figcaption>").append(escaped(plot.title())).append("</figcaption>\n");
    body.append(plot.svg()).append("</figure>\n");
    return this;
  }

  /** What the page begins with, its title the last: a page of the same title begins so too. */
  public String opening() {
    return BEGINNING
        + "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
        + escaped(title)
        + "</title>\n";
  }

  /** The page. */
  public String html() {
    return opening()
        + "<style>"
        + STYLE
        + "</style></head>\n<body><main><h1>"
        + escaped(title)
        + "</h1>\n"
        + body
        + "</main></body></html>\n";
  }

  /** Text that a browser shows as it is, between tags and in quoted attributes. */
  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }
}
