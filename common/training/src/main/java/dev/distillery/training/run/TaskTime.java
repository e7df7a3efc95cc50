package dev.distillery.training.run;

import java.io.Serializable;
import org.apache.spark.SparkEnv;
import org.apache.spark.util.CollectionAccumulator;

/**
 * What a training task did besides exchanging.
 *
 * @param executor where it ran
 * @param opening nanoseconds that reading the model took, where no task had before
 * @param computing nanoseconds that its micro-batches took
 */
record TaskTime(String executor, long opening, long computing) implements Serializable {

  /** Tells the driver of a task that has computed since {@code start}. */
  static void tell(CollectionAccumulator<TaskTime> times, Policy policy, long start) {
    times.add(
        new TaskTime(SparkEnv.get().executorId(), policy.takeOpening(), System.nanoTime() - start));
  }

  long nanos() {
    return opening + computing;
  }
}
