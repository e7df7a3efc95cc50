package dev.distillery.training.run;

import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.TaskContext;

/**
 * The frozen model of a JVM outside a training run: read when the first task begins to work with
 * one. An executor keeps it for the tasks to come until another, or a policy, takes its place, as
 * nobody tells it that a pass has ended; the driver's own JVM lets it go with the last of them.
 * Tasks take turns, and a turn uses all threads.
 */
public final class SharedFrozen {
  private static final Map<FrozenModel, Held> HELD = new HashMap<>();

  private SharedFrozen() {}

  /** A model in memory, and how many work with it. */
  private static final class Held {
    private final Kernels kernels;
    private final FrozenModel.Open open;
    private int users;

    Held(FrozenModel model) {
      this.kernels = KernelSets.create(threads(model));
      this.open = model.open(kernels);
    }

    void close() {
      open.close();
      kernels.close();
    }
  }

  /** One of those who work with a model. */
  public static final class Use implements AutoCloseable {
    private final FrozenModel model;
    private final Held held;

    private Use(FrozenModel model, Held held) {
      this.model = model;
      this.held = held;
    }

    /** Works with the model while no other task does. */
    public <T> T with(Function<Decoder, T> work) {
      synchronized (held) {
        return work.apply(held.open.decoder());
      }
    }

    @Override
    public void close() {
      leave(model, held);
    }
  }

  /** Begins to work with a model. */
  public static synchronized Use of(FrozenModel model) {
    Held held = HELD.get(model);
    if (held == null) {
      closeIdle();
      held = new Held(model);
      HELD.put(model, held);
    }
    held.users++;
    return new Use(model, held);
  }

  private static synchronized void leave(FrozenModel model, Held held) {
    held.users--;
    if (held.users == 0 && model.hash().isEmpty()) {
      HELD.remove(model);
      held.close();
    }
  }

  /** Lets go of what an executor keeps and no task works with: another model needs the room. */
  static synchronized void closeIdle() {
    for (var models = HELD.values().iterator(); models.hasNext(); ) {
      Held idle = models.next();
      if (idle.users == 0) {
        models.remove();
        idle.close();
      }
    }
  }

  /** All of this machine's in a local session, whose models have no hash; else the task's cores. */
  private static int threads(FrozenModel model) {
    TaskContext task = TaskContext.get();
    return model.hash().isEmpty() || task == null
        ? Runtime.getRuntime().availableProcessors()
        : Math.max(1, task.cpus());
  }
}
