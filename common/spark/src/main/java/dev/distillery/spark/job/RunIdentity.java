package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;

/**
 * Whether a run id may be used again: a run belongs to one job and to one set of the options that
 * decide what it writes.
 */
final class RunIdentity {
  private RunIdentity() {}

  /** Refuses an id that belongs to another job. */
  static void checkJob(RunRecord earlier, String job) {
    if (!earlier.job().equals(job)) {
      throw JobException.invalid(
          "The run id '"
              + earlier.runId()
              + "' belongs to a run of "
              + earlier.job()
              + "; give another --run-id to "
              + job);
    }
  }

  /**
   * Refuses an id that belongs to other options or inputs, where something of the earlier run is
   * kept.
   */
  static void check(RunRecord earlier, Map<String, String> decisive, Warehouse warehouse) {
    if (earlier.done() || hasLedger(warehouse, earlier.runId())) {
      refuseOthers(earlier.runId(), earlier.status(), earlier.decisiveOptions(), decisive);
      RunInputs.check(earlier, warehouse);
    }
  }

  /** The same for a run whose driver died before it could write a record. */
  static void checkAbandoned(Warehouse warehouse, String runId, Map<String, String> decisive) {
    if (hasLedger(warehouse, runId)) {
      RunLease.find(warehouse, runId)
          .map(lease -> lease.path("decisive_options"))
          .filter(JsonNode::isObject)
          .ifPresent(
              options -> {
                var earlier = new LinkedHashMap<String, String>();
                options.properties().forEach(o -> earlier.put(o.getKey(), o.getValue().asText()));
                refuseOthers(runId, "unfinished", earlier, decisive);
              });
    }
  }

  static boolean hasLedger(Warehouse warehouse, String runId) {
    try {
      return warehouse.files().exists(warehouse.ledger(runId));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void refuseOthers(
      String runId, String status, Map<String, String> earlier, Map<String, String> now) {
    List<String> differences = new ArrayList<>();
    var names = new TreeSet<>(earlier.keySet());
    names.addAll(now.keySet());
    for (String name : names) {
      if (!Objects.equals(earlier.get(name), now.get(name))) {
        differences.add(
            "--"
                + name
                + " was "
                + earlier.getOrDefault(name, "not given")
                + ", now "
                + now.getOrDefault(name, "not given"));
      }
    }
    if (!differences.isEmpty()) {
      throw JobException.invalid(
          "The run '"
              + runId
              + "' ("
              + status
              + ") had other options; give them again, another --run-id, or --overwrite: "
              + String.join("; ", differences));
    }
  }
}
