package dev.distillery.core.page;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Lines over a common x. Values that are not finite, and on a logarithmic scale those not over 0,
 * leave a gap.
 *
 * @param title above the plot
 * @param logarithmic whether y is
 * @param lines at least one
 */
public record LinePlot(String title, boolean logarithmic, List<Line> lines) implements Picture {
  /** Lines that a legend names; of more, the first and the last. */
  public static final int MOST_NAMED = 8;

  private static final int WIDTH = 560;
  private static final int HEIGHT = 240;
  private static final int LEFT = 62;
  private static final int BOTTOM = 22;
  private static final int TOP = 8;
  private static final int TICKS = 4;

  /**
   * One line.
   *
   * @param x ascending
   * @param y as many
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record Line(String name, double[] x, double[] y) {
    public Line {
      if (x.length != y.length) {
        throw new IllegalArgumentException(
            "Line %s has %s places and %s values".formatted(name, x.length, y.length));
      }
    }
  }

  public LinePlot {
    lines = List.copyOf(lines);
  }

  @Override
  public String svg() {
    double[] xs = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    double[] ys = {Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY};
    for (Line line : lines) {
      for (int i = 0; i < line.x().length; i++) {
        if (shown(line.y()[i])) {
          extend(xs, line.x()[i]);
          extend(ys, scaled(line.y()[i]));
        }
      }
    }
    if (xs[0] > xs[1]) {
      return "<p>No value to show.</p>\n";
    }
    widen(xs);
    widen(ys);
    var svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" role=\"img\" aria-label=\"%s\">\n"
            .formatted(WIDTH, HEIGHT + legendHeight(), Page.escaped(title)));
    axes(svg, xs, ys);
    for (int i = 0; i < lines.size(); i++) {
      for (String points : runs(lines.get(i), xs, ys)) {
        svg.append(
            "<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"1.4\" points=\"%s\"><title>%s</title></polyline>\n"
                .formatted(colour(i), points, Page.escaped(lines.get(i).name())));
      }
    }
    legend(svg);
    return svg.append("</svg>\n").toString();
  }

  private boolean shown(double value) {
    return Double.isFinite(value) && (!logarithmic || value > 0);
  }

  private double scaled(double value) {
    return logarithmic ? Math.log10(value) : value;
  }

  private static void extend(double[] range, double value) {
    range[0] = Math.min(range[0], value);
    range[1] = Math.max(range[1], value);
  }

  /** A range of one value gets room on both sides. */
  private static void widen(double[] range) {
    if (range[0] == range[1]) {
      double room = range[0] == 0 ? 1 : Math.abs(range[0]) / 2;
      range[0] -= room;
      range[1] += room;
    }
  }

  private static double placeX(double x, double[] xs) {
    return LEFT + (x - xs[0]) / (xs[1] - xs[0]) * (WIDTH - LEFT - 10);
  }

  private static double placeY(double y, double[] ys) {
    return HEIGHT - BOTTOM - (y - ys[0]) / (ys[1] - ys[0]) * (HEIGHT - BOTTOM - TOP);
  }

  private void axes(StringBuilder svg, double[] xs, double[] ys) {
    for (int i = 0; i <= TICKS; i++) {
      double y = ys[0] + (ys[1] - ys[0]) * i / TICKS;
      double at = placeY(y, ys);
      svg.append(
          "<line x1=\"%s\" x2=\"%s\" y1=\"%s\" y2=\"%3$s\" class=\"grid\"/>\n"
              .formatted(LEFT, WIDTH - 10, number(at)));
      svg.append(
          "<text x=\"%s\" y=\"%s\" text-anchor=\"end\">%s</text>\n"
              .formatted(LEFT - 5, number(at + 4), label(logarithmic ? Math.pow(10, y) : y)));
      double x = xs[0] + (xs[1] - xs[0]) * i / TICKS;
      svg.append(
          "<text x=\"%s\" y=\"%s\" text-anchor=\"middle\">%s</text>\n"
              .formatted(number(placeX(x, xs)), HEIGHT - 6, label(x)));
    }
  }

  /** The points of a line between its gaps. */
  private List<String> runs(Line line, double[] xs, double[] ys) {
    List<String> runs = new ArrayList<>();
    var run = new StringBuilder();
    for (int i = 0; i < line.x().length; i++) {
      if (shown(line.y()[i])) {
        run.append(number(placeX(line.x()[i], xs))).append(',');
        run.append(number(placeY(scaled(line.y()[i]), ys))).append(' ');
      } else if (run.length() > 0) {
        runs.add(run.toString().strip());
        run.setLength(0);
      }
    }
    if (run.length() > 0) {
      runs.add(run.toString().strip());
    }
    // A point alone is no line: it gets a short one.
    return runs.stream()
        .map(points -> points.contains(" ") ? points : points + " " + points)
        .toList();
  }

  private List<Integer> named() {
    if (lines.size() == 1) {
      return List.of();
    }
    List<Integer> named = new ArrayList<>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.size() <= MOST_NAMED || i == 0 || i == lines.size() - 1) {
        named.add(i);
      }
    }
    return named;
  }

  private int legendHeight() {
    return 16 * ((named().size() + 1) / 2);
  }

  private void legend(StringBuilder svg) {
    List<Integer> named = named();
    for (int i = 0; i < named.size(); i++) {
      int x = LEFT + i % 2 * 250;
      int y = HEIGHT + 12 + i / 2 * 16;
      svg.append(
          "<line x1=\"%s\" x2=\"%s\" y1=\"%s\" y2=\"%3$s\" stroke=\"%s\" stroke-width=\"3\"/><text x=\"%s\" y=\"%s\">%s</text>\n"
              .formatted(
                  x,
                  x + 16,
                  y - 4,
                  colour(named.get(i)),
                  x + 22,
                  y,
                  Page.escaped(lines.get(named.get(i)).name())));
    }
  }

  private String colour(int line) {
    return "hsl(%s,65%%,42%%)".formatted((210 + 300 * line / Math.max(1, lines.size())) % 360);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.1f", value);
  }

  private static String label(double value) {
    double size = Math.abs(value);
    return size != 0 && (size < 1e-3 || size >= 1e6)
        ? String.format(Locale.ROOT, "%.1e", value)
        : String.format(Locale.ROOT, size >= 100 ? "%.0f" : "%.3g", value);
  }
}
