package dev.distillery.jobs.rate;

/** What is made for raters: our page, or what another tool imports. */
public enum RateFormat {
  /** One self-contained page. */
  HTML,
  /** CSV of the variables of a HIT of Amazon Mechanical Turk. */
  MTURK,
  /** Tasks of Label Studio. */
  LABEL_STUDIO,
  /** Records of Argilla. */
  ARGILLA
}
