package dev.distillery.jobs.curate;

import dev.distillery.core.run.Figures;
import java.util.Map;

/**
 * What a {@code curate} did: in = kept + rejects, in rows.
 *
 * @param in rows of the inputs
 * @param kept rows written
 * @param refused rows that the use does not allow, by reason
 */
record CurateFigures(long in, long kept, Map<String, Long> refused) implements Figures {
  @Override
  public Map<String, Long> rejects() {
    return in == kept ? Map.of() : Map.of(CurateJob.LICENSE, in - kept);
  }

  @Override
  public Map<String, Number> figures() {
    return Map.of("in", in, "kept", kept);
  }

  @Override
  public Map<String, Object> members() {
    return Map.of("unit", "rows", "refused", refused);
  }
}
