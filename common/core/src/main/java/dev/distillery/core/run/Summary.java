package dev.distillery.core.run;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Map;

/**
 * How a run of a job ended: a record of what the run is and of what this job counted. Its first
 * component is {@link RunSummary}. Of the others a number, or an optional one, is a figure under
 * its name in snake case; a record gives its own components, and a map of numbers its entries;
 * anything else is a member of the JSON object beside the figures. So a summary can be read back
 * from the JSON that it is printed as.
 */
public interface Summary {
  /** What every run tells. */
  RunSummary run();

  /** What was written, by table; empty unless the run is done. */
  default Map<String, RunSummary.TableSummary> tables() {
    return run().tables();
  }

  /** Rows dropped, by rule. */
  default Map<String, Long> rejects() {
    return run().rejects();
  }

  /** {@code done}, {@code partial}, {@code failed} or {@code dry-run}. */
  default String status() {
    return run().status();
  }

  /** The figures by their names: counts, ratios and costs. */
  default Map<String, Number> figures() {
    return SummaryJson.figures(this);
  }

  /** The summary as one JSON object, equal for equal summaries. */
  default ObjectNode toJson() {
    return SummaryJson.write(this);
  }
}
