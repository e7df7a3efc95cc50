package dev.distillery.jobs.rate;

/** What a run does of the way from answers to verdicts. */
enum RateMode {
  /** Makes what people rate. */
  MAKE,
  /** Shows it to many raters. */
  SERVE,
  /** Takes back what they said. */
  COLLECT
}
