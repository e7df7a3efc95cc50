package dev.distillery.training.run;

import dev.distillery.core.run.ModelHash;
import dev.distillery.model.train.AdamW;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.TaskContext;
import org.apache.spark.broadcast.Broadcast;
import org.jspecify.annotations.Nullable;

/**
 * The one policy of an executor's JVM: its tasks take turns, and each turn uses all threads. Frozen
 * weights are read once; another run's policy takes the place of the one before.
 */
final class SharedPolicy {
  private static @Nullable Open open;

  /** The version of the trained weights that the policy holds; 0 where they are undefined. */
  private static long version;

  /** Inner moments of DiLoCo's workers, by worker; they belong to the open policy. */
  private static final Map<Integer, Kept> INNER = new HashMap<>();

  private record Kept(AdamW optimizer, long nextStep) {}

  /**
   * The optimiser of a worker's own steps.
   *
   * @param rebuilt whether its moments are new though the run is not
   */
  record Inner(AdamW optimizer, boolean rebuilt) {}

  private record Open(String run, PolicySpec spec, Policy policy) {}

  /**
   * Trained weights as the driver sent them.
   *
   * @param run that they belong to
   * @param number another for each state of the weights, from 1 on
   * @param slices of the flat address space, each of {@code sliceValues} but for the last
   */
  record Version(String run, long number, int sliceValues, List<Broadcast<float[]>> slices)
      implements Serializable {}

  /**
   * What a task needs to work with its executor's policy.
   *
   * @param weights that the policy is to have
   * @param threads of its kernels; 0 for the task's cores
   */
  record Access(PolicySpec spec, TrainingObjective objective, Version weights, int threads)
      implements Serializable {
    /** Works with the policy, its trained weights as they were sent. */
    <T> T with(Function<Policy, T> work) {
      return SharedPolicy.with(this, work);
    }

    /** Reads the model, and nothing that was sent. The policy's opening counts as told. */
    void open() {
      SharedPolicy.opened(this).takeOpening();
    }
  }

  private SharedPolicy() {}

  private static synchronized Policy opened(Access access) {
    Gpu.useGiven();
    Open now = open;
    String run = access.weights().run();
    if (now == null || !now.run().equals(run) || !now.spec().equals(access.spec())) {
      if (now != null) {
        open = null;
        close(now);
      }
      SharedFrozen.closeIdle();
      long started = System.nanoTime();
      Path here = ShippedModel.here(access.spec().model());
      check(access.spec(), here);
      access.spec().network().ifPresent(value -> check(value, ShippedModel.here(value.model())));
      int cores = access.threads() > 0 ? access.threads() : Math.max(1, TaskContext.get().cpus());
      Policy policy = Policy.open(access.spec(), here, access.objective(), cores);
      policy.openedIn(System.nanoTime() - started);
      now = new Open(run, access.spec(), policy);
      open = now;
      version = 0;
    }
    return now.policy();
  }

  private static synchronized <T> T with(Access access, Function<Policy, T> work) {
    Policy policy = opened(access);
    Version weights = access.weights();
    if (version != weights.number()) {
      version = 0;
      long address = 0;
      for (Broadcast<float[]> slice : weights.slices()) {
        float[] values = slice.value();
        policy.trained().write(address, values, values.length);
        address += values.length;
      }
      version = weights.number();
    }
    return work.apply(policy);
  }

  /**
   * The optimiser of a worker, with the moments that it ended its last round with, where they are
   * here. The weights are the worker's own from now on: no other task finds them as they were sent.
   */
  static synchronized Inner inner(
      Policy policy, int worker, long firstStep, AdamW.Options options) {
    version = 0;
    Kept kept = INNER.remove(worker);
    if (kept != null && kept.nextStep() == firstStep) {
      return new Inner(kept.optimizer(), false);
    }
    if (kept != null) {
      kept.optimizer().close();
    }
    return new Inner(new AdamW(policy.kernels(), policy.trained(), options), firstStep > 0);
  }

  /** Keeps a worker's moments for its round that begins at a step. */
  static synchronized void keep(int worker, Inner inner, long nextStep) {
    INNER.put(worker, new Kept(inner.optimizer(), nextStep));
  }

  private static void close(Open old) {
    INNER.values().forEach(kept -> kept.optimizer().close());
    INNER.clear();
    old.policy().close();
  }

  /** Frees the policy of a run that has ended, where this JVM holds it. */
  static synchronized void release(String run) {
    Open now = open;
    if (now != null && now.run().equals(run)) {
      open = null;
      close(now);
    }
  }

  private static void check(PolicySpec spec, Path here) {
    if (spec.fingerprint().isEmpty()) {
      return;
    }
    try {
      String found = ModelHash.of(here);
      if (!found.equals(spec.fingerprint())) {
        throw new IllegalStateException(
            "The model at %s is another than the driver's %s: SHA-256 %s, not %s"
                .formatted(here, spec.model(), found, spec.fingerprint()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the model " + here, e);
    }
  }
}
