package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.Warehouse;
import java.util.Optional;

/** What a run would be refused for, found out by a dry one: nothing is taken or written. */
final class RunTrial {
  private RunTrial() {}

  /**
   * Looks at the run id and the warehouse.
   *
   * @param earlier the record of the run, where there is one
   * @throws JobException as the run itself would: the id is another job's or another run's, a
   *     driver works on it, or the warehouse cannot be written
   */
  static void check(JobRun run, Optional<RunRecord> earlier, RunIdentity identity) {
    Warehouse warehouse = run.warehouse();
    earlier.ifPresent(record -> RunIdentity.checkJob(record, run.job()));
    if (!run.overwrites()) {
      earlier.ifPresent(record -> identity.check(record, warehouse));
    }
    if (earlier.isEmpty() && !run.overwrites()) {
      identity.checkAbandoned(warehouse, run.id());
    }
    Optional<JsonNode> mark = RunLease.find(warehouse, run.id());
    if (mark.isPresent()) {
      switch (DriverIdentity.ofThisProcess().state(mark.get())) {
        case ALIVE -> throw RunLease.refused(run.id(), mark.get());
        case DEAD ->
            run.progress().say("The driver of the run " + run.id() + " has died: it goes on");
        case UNKNOWN ->
            run.progress()
                .say(
                    "The driver "
                        + RunLease.driver(mark.get())
                        + " has, or had, the run "
                        + run.id()
                        + ": the run itself would look whether it lives");
      }
    }
    earlier
        .filter(record -> !record.done())
        .ifPresent(
            record ->
                run.progress()
                    .say(
                        "The run "
                            + run.id()
                            + " is "
                            + record.status()
                            + " and goes on: "
                            + record.message()));
    warehouse.checkWritable();
    if (!warehouse.createsExclusively()) {
      run.progress()
          .say(
              "The Hadoop of this cluster is older than 3.4.2: on "
                  + warehouse.root()
                  + " two drivers that start within the same moment are not surely kept apart");
    }
  }
}
