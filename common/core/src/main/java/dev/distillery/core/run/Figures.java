package dev.distillery.core.run;

import java.util.Map;

/** What a job has to say of itself when it ends: an immutable record of counts. */
public interface Figures {
  /** Rows dropped, by rule. */
  default Map<String, Long> rejects() {
    return Map.of();
  }

  /** Named numbers: counts, ratios, costs. */
  Map<String, Number> figures();

  /**
   * Further members of the summary's JSON, such as why a job stopped; values are what Jackson can
   * write.
   */
  default Map<String, Object> members() {
    return Map.of();
  }
}
