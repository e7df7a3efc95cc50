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
import java.util.function.UnaryOperator;

/**
 * Whether a run id may be used again: a run belongs to one job and to one set of the options that
 * decide what it writes.
 *
 * @param asNow reads an earlier run's options: what it does not name had its default
 * @param decisive options and contents of files, as they are now
 */
record RunIdentity(UnaryOperator<Map<String, String>> asNow, Map<String, String> decisive) {

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
  void check(RunRecord earlier, Warehouse warehouse) {
    if (earlier.done() || hasLedger(warehouse, earlier.runId())) {
      refuseOthers(earlier.runId(), earlier.status(), earlier.decisiveOptions());
      RunInputs.check(earlier, warehouse);
    }
  }

  /** The same for a run whose driver died before it could write a record. */
  void checkAbandoned(Warehouse warehouse, String runId) {
    if (hasLedger(warehouse, runId)) {
      RunLease.find(warehouse, runId)
          .map(lease -> lease.path("decisive_options"))
          .filter(JsonNode::isObject)
          .ifPresent(
              options -> {
                var earlier = new LinkedHashMap<String, String>();
                options.properties().forEach(o -> earlier.put(o.getKey(), o.getValue().asText()));
                refuseOthers(runId, "unfinished", earlier);
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

  private void refuseOthers(String runId, String status, Map<String, String> recorded) {
    Map<String, String> earlier = asNow.apply(recorded);
    List<String> differences = new ArrayList<>();
    var names = new TreeSet<>(earlier.keySet());
    names.addAll(decisive.keySet());
    for (String name : names) {
      // Contents have names of several words; an earlier version may have looked at fewer.
      boolean content = name.indexOf(' ') > 0;
      if (content && !(earlier.containsKey(name) && decisive.containsKey(name))) {
        continue;
      }
      if (!Objects.equals(earlier.get(name), decisive.get(name))) {
        differences.add(
            (content ? "the " : "--")
                + name
                + " was "
                + earlier.getOrDefault(name, "not given")
                + ", now "
                + decisive.getOrDefault(name, "not given"));
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
