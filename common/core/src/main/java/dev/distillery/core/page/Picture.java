package dev.distillery.core.page;

/** A picture that is drawn in the page, as SVG. */
public interface Picture {
  /** What it shows: its caption, and what a screen reader says. */
  String title();

  /** The element {@code svg}; every text in it is escaped. */
  String svg();
}
