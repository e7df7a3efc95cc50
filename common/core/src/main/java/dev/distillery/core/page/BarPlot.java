package dev.distillery.core.page;

import java.util.List;
import java.util.Locale;

/**
 * Bars from left to right, each with its number: a histogram, or counts of names.
 *
 * @param title above the plot
 * @param bars in their order; a negative value is drawn as 0
 */
public record BarPlot(String title, List<Bar> bars) implements Picture {
  private static final int WIDTH = 560;
  private static final int LABEL = 170;
  private static final int ROW = 18;
  private static final int MOST_CHARS = 26;

  /**
   * One bar.
   *
   * @param value its length
   */
  public record Bar(String label, double value) {}

  public BarPlot {
    bars = List.copyOf(bars);
  }

  @Override
  public String svg() {
    if (bars.isEmpty()) {
      return "<p>No value to show.</p>\n";
    }
    double most = bars.stream().mapToDouble(Bar::value).max().orElse(0);
    var svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" role=\"img\" aria-label=\"%s\">\n"
            .formatted(WIDTH, bars.size() * ROW + 4, Page.escaped(title)));
    for (int i = 0; i < bars.size(); i++) {
      Bar bar = bars.get(i);
      int room = WIDTH - LABEL - 90;
      double length = most > 0 ? Math.max(0, bar.value()) / most * room : 0;
      svg.append(
          "<text x=\"%s\" y=\"%s\" text-anchor=\"end\">%s<title>%s</title></text><rect class=\"bar\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\"/><text x=\"%s\" y=\"%2$s\">%s</text>\n"
              .formatted(
                  LABEL - 6,
                  i * ROW + 13,
                  Page.escaped(cut(bar.label())),
                  Page.escaped(bar.label()),
                  LABEL,
                  i * ROW + 2,
                  fixed(length),
                  ROW - 4,
                  fixed(LABEL + length + 6),
                  number(bar.value())));
    }
    return svg.append("</svg>\n").toString();
  }

  private static String cut(String label) {
    int characters = label.codePointCount(0, label.length());
    return characters <= MOST_CHARS
        ? label
        : label.substring(0, label.offsetByCodePoints(0, MOST_CHARS - 1)) + "\u2026";
  }

  private static String fixed(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String number(double value) {
    return value == Math.rint(value) && Math.abs(value) < 1e15
        ? String.format(Locale.ROOT, "%,.0f", value)
        : String.format(Locale.ROOT, "%.4g", value);
  }
}
