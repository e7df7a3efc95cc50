package dev.distillery.training.run;

import java.util.OptionalInt;
import org.apache.spark.SparkConf;
import org.apache.spark.SparkContext;
import org.apache.spark.SparkException;
import org.apache.spark.resource.ResourceProfile;
import org.apache.spark.resource.ResourceProfileBuilder;
import org.apache.spark.resource.TaskResourceRequests;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who computes a step.
 *
 * @param workers tasks of a step
 * @param threads of each; 0: as many as its task has cores
 * @param profile what a task asks of an executor, where the cluster manager can be asked: all its
 *     cores and GPUs, so that one task is on it at a time
 */
record Cluster(int workers, int threads, @Nullable ResourceProfile profile) {
  private static final Logger LOG = LoggerFactory.getLogger(Cluster.class);

  /** The executors of a session, or this process. */
  static Cluster of(SparkContext context, OptionalInt workers) {
    if (context.isLocal()) {
      return new Cluster(workers.orElse(1), Runtime.getRuntime().availableProcessors(), null);
    }
    // The driver is among those that the tracker knows.
    int known = context.statusTracker().getExecutorInfos().length - 1;
    int executors = Math.max(1, context.getConf().getInt("spark.executor.instances", known));
    int cores =
        context
            .getConf()
            .getInt("spark.executor.cores", Math.max(1, context.defaultParallelism() / executors));
    return new Cluster(workers.orElse(executors), 0, profile(context, cores));
  }

  private static @Nullable ResourceProfile profile(SparkContext context, int cores) {
    SparkConf conf = context.getConf();
    int gpus = conf.getInt("spark.executor.resource." + Gpu.RESOURCE + ".amount", 0);
    boolean given = conf.getDouble("spark.task.resource." + Gpu.RESOURCE + ".amount", 0) >= gpus;
    if (cores <= conf.getInt("spark.task.cpus", 1) && given) {
      return null;
    }
    try {
      var requests = new TaskResourceRequests().cpus(cores);
      if (gpus > 0) {
        requests.resource(Gpu.RESOURCE, gpus);
      }
      ResourceProfile profile = new ResourceProfileBuilder().require(requests).build();
      context.resourceProfileManager().addResourceProfile(profile);
      return profile;
    } catch (Exception e) {
      if (!(e instanceof SparkException)) {
        throw e;
      }
      LOG.warn(
          "Training tasks get spark.task.cpus cores each and not all {} of an executor, and no GPU"
              + " that spark.task.resource does not give: {}",
          cores,
          e.getMessage());
      return null;
    }
  }
}
