package dev.distillery.core.filter;

/** Bounds on the score that a row has; a row without one is dropped. */
record ScoreRule(double min, double max) implements RowRule {
  private static final long serialVersionUID = 1L;

  static RowRule of(FilterSpec spec) {
    if (!spec.has("min", "max")) {
      spec.wrong("expected min, max or both");
    }
    return new ScoreRule(
        spec.number("min", Double.NEGATIVE_INFINITY), spec.number("max", Double.POSITIVE_INFINITY));
  }

  @Override
  public Judged judge(RowText row) {
    if (row.score().isEmpty()) {
      return Judged.dropped(row, "score", "no score");
    }
    double score = row.score().getAsDouble();
    return score >= min && score <= max
        ? Judged.kept(row)
        : Judged.dropped(row, "score", String.valueOf(score));
  }
}
