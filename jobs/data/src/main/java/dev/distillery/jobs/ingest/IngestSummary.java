package dev.distillery.jobs.ingest;

import dev.distillery.core.run.Figures;
import dev.distillery.datasets.units.Units;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What an {@code ingest} did: in = kept + duplicates + rejected, in units of the source.
 *
 * @param unit what is counted
 * @param license SPDX expression that the registry or the user gave the source
 * @param files that were read
 * @param emptyFiles without content
 * @param bytes that were read, as stored
 * @param tasks that read them
 * @param counts of units
 * @param rows that were written
 */
public record IngestSummary(
    String unit,
    String license,
    int files,
    int emptyFiles,
    long bytes,
    int tasks,
    Units.Counts counts,
    long rows)
    implements Figures {

  @Override
  public Map<String, Long> rejects() {
    return counts.rejects();
  }

  @Override
  public Map<String, Number> figures() {
    Map<String, Number> figures = new LinkedHashMap<>();
    figures.put("files", files);
    figures.put("empty_files", emptyFiles);
    figures.put("bytes", bytes);
    figures.put("tasks", tasks);
    figures.put("units_in", counts.units());
    figures.put("units_kept", counts.kept());
    figures.put("units_duplicate", counts.duplicates());
    figures.put("units_rejected", counts.rejected());
    figures.put("rows", rows);
    figures.put("left_over", counts.leftOver());
    return figures;
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("unit", unit, "license", license);
  }
}
