package dev.distillery.jobs.dedup;

import dev.distillery.core.run.Figures;
import java.util.Map;
import java.util.TreeMap;

/**
 * Counts of a dedup run; the unit is a row, and in = kept + duplicates + rejects.
 *
 * @param in rows of the input
 * @param kept rows written
 * @param duplicates rows dropped, each for a kept one
 * @param withoutId rows rejected because they have no id
 * @param withoutTokens kept rows that have nothing to compare
 * @param against rows of the pools
 * @param further figures that only some runs have
 */
record DedupFigures(
    long in,
    long kept,
    long duplicates,
    long withoutId,
    long withoutTokens,
    long against,
    Map<String, Number> further)
    implements Figures {

  @Override
  public Map<String, Long> rejects() {
    return withoutId == 0 ? Map.of() : Map.of(DedupJob.MISSING_ID, withoutId);
  }

  @Override
  public Map<String, Number> figures() {
    Map<String, Number> figures = new TreeMap<>(further);
    figures.put("in", in);
    figures.put("kept", kept);
    figures.put("duplicates", duplicates);
    figures.put("without_tokens", withoutTokens);
    figures.put("against", against);
    return figures;
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("unit", "rows");
  }
}
