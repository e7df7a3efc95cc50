package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.PinnedInput;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Warehouse;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a run reads: the same at each try, and named where it has changed. */
final class RunInputs {
  private RunInputs() {}

  /**
   * What references stand for.
   *
   * @param pins tables with their run ids, by what was asked, for references that an earlier try
   *     has resolved
   * @throws JobException with all that is not there
   */
  static Map<TableRef, PinnedInput> find(
      List<TableRef> refs, Map<TableRef, String> pins, Warehouse warehouse) {
    Map<TableRef, PinnedInput> found = new LinkedHashMap<>();
    List<String> violations = new ArrayList<>();
    for (TableRef ref : refs) {
      try {
        found.computeIfAbsent(
            ref,
            asked ->
                pins.containsKey(asked)
                    ? PinnedInput.find(TableRef.parse(pins.get(asked)), warehouse).asked(asked)
                    : PinnedInput.find(asked, warehouse));
      } catch (JobException e) {
        if (e.exitCode() != ExitCode.INVALID) {
          throw e;
        }
        violations.add(String.valueOf(e.getMessage()));
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return found;
  }

  /**
   * The tables that a run has read, with their run ids, by what was asked; of a run that ended
   * because its call or its input was wrong, none: these may be mended.
   */
  static Map<TableRef, String> pins(RunRecord earlier) {
    Map<TableRef, String> pins = new LinkedHashMap<>();
    if (earlier.exitCode() != ExitCode.INVALID.code()) {
      for (ObjectNode input : earlier.inputs()) {
        if (input.hasNonNull("asked") && input.hasNonNull("finished_at")) {
          pins.put(TableRef.parse(input.path("asked").asText()), input.path("ref").asText());
        }
      }
    }
    return pins;
  }

  /**
   * Refuses a run whose inputs have changed since it read them.
   *
   * @throws JobException with the differences
   */
  static void check(RunRecord earlier, Warehouse warehouse) {
    List<String> differences =
        earlier.inputs().stream()
            .map(input -> PinnedInput.difference(input, warehouse))
            .flatMap(Optional::stream)
            .toList();
    if (!differences.isEmpty()) {
      throw JobException.invalid(
          "The run '"
              + earlier.runId()
              + "' ("
              + earlier.status()
              + ") read other inputs; give another --run-id, or --overwrite to make it again of"
              + " what is there now: "
              + String.join("; ", differences));
    }
  }

  /** Which tables that a run read without naming their runs have newer ones now, in words. */
  static List<String> newer(RunRecord run, Warehouse warehouse) {
    List<String> newer = new ArrayList<>();
    pins(run)
        .forEach(
            (asked, ref) -> {
              if (asked instanceof TableRef.Named named && named.runId().isEmpty()) {
                new RunRecords(warehouse)
                    .newestWith(named.table())
                    .map(newest -> named.table() + "@" + newest.runId())
                    .filter(newest -> !newest.equals(ref))
                    .ifPresent(
                        newest ->
                            newer.add(
                                "It read "
                                    + ref
                                    + "; the newest is "
                                    + newest
                                    + " now, which --overwrite would read"));
              }
            });
    return newer;
  }
}
