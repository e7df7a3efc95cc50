package dev.distillery.core.page;

import java.util.List;
import java.util.Locale;

/**
 * Two rings: names by their counts, and around each what it goes with, as Self-Instruct draws the
 * verbs of its instructions and their objects.
 *
 * @param title above the wheel
 * @param slices of the inner ring, in their order
 */
public record Wheel(String title, List<Slice> slices) implements Picture {
  private static final int SIZE = 720;
  private static final double INNER = 90;
  private static final double MIDDLE = 205;
  private static final double OUTER = 330;

  /** A slice thinner than this, in degrees, has no room for its name. */
  private static final double NAMED = 2.2;

  /**
   * A name of the inner ring with those of the outer ring around it.
   *
   * @param parts their counts add up to its own at most
   */
  public record Slice(String name, long count, List<Part> parts) {
    public Slice {
      parts = List.copyOf(parts);
    }
  }

  /** A name of the outer ring. */
  public record Part(String name, long count) {}

  public Wheel {
    slices = List.copyOf(slices);
  }

  @Override
  public String svg() {
    double all = slices.stream().mapToLong(Slice::count).sum();
    if (all <= 0) {
      return "<p>No value to show.</p>\n";
    }
    var svg = new StringBuilder();
    svg.append(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%1$s\" viewBox=\"%s %2$s %1$s %1$s\" role=\"img\" aria-label=\"%s\">\n"
            .formatted(SIZE, -SIZE / 2, Page.escaped(title)));
    double from = 0;
    for (int i = 0; i < slices.size(); i++) {
      Slice slice = slices.get(i);
      double to = from + slice.count() / all * 360;
      int hue = 360 * i / slices.size();
      svg.append(
          new Arc(from, to, INNER, MIDDLE, "hsl(%s,60%%,62%%)".formatted(hue))
              .svg(slice.name(), slice.count()));
      double at = from;
      for (Part part : slice.parts()) {
        double end = at + part.count() / all * 360;
        svg.append(
            new Arc(at, Math.min(to, end), MIDDLE, OUTER, "hsl(%s,60%%,78%%)".formatted(hue))
                .svg(part.name(), part.count()));
        at = end;
      }
      from = to;
    }
    return svg.append("</svg>\n").toString();
  }

  /** A part of a ring, from and to in degrees clockwise from the top. */
  private record Arc(double from, double to, double inner, double outer, String colour) {
    String svg(String name, long count) {
      // A whole turn would begin where it ends, and be nothing.
      double end = Math.min(to, from + 359.99);
      int large = end - from > 180 ? 1 : 0;
      String path =
          "<path fill=\"%s\" stroke=\"#fff\" d=\"M%s A%s %3$s 0 %s 1 %s L%s A%s %7$s 0 %4$s 0 %s Z\"><title>%s: %s</title></path>\n"
              .formatted(
                  colour,
                  point(outer, from),
                  number(outer),
                  large,
                  point(outer, end),
                  point(inner, end),
                  number(inner),
                  point(inner, from),
                  Page.escaped(name),
                  String.format(Locale.ROOT, "%,d", count));
      return to - from < NAMED ? path : path + label((from + end) / 2, name);
    }

    private String label(double middle, String name) {
      return "<text class=\"on\" transform=\"rotate(%s) translate(%s,0)%s\" text-anchor=\"middle\" dy=\"4\">%s</text>\n"
          .formatted(
              number(middle - 90),
              number((inner + outer) / 2),
              middle > 180 ? " rotate(180)" : "",
              Page.escaped(name));
    }
  }

  /** A place on a circle, in degrees clockwise from the top. */
  private static String point(double radius, double degrees) {
    double angle = Math.toRadians(degrees - 90);
    return number(radius * Math.cos(angle)) + " " + number(radius * Math.sin(angle));
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, "%.2f", value);
  }
}
