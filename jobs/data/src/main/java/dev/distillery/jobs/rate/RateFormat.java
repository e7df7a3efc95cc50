package dev.distillery.jobs.rate;

/** What is made for raters. */
public enum RateFormat {
  /** One self-contained page. */
  HTML
}
