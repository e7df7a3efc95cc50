package dev.distillery.training.reward;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.run.ModelHash;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.training.tokens.AnswerEncoder;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.apache.spark.SparkContext;
import org.apache.spark.TaskContext;
import org.jspecify.annotations.Nullable;

/**
 * The reward models of a JVM, by the hashes of their bytes: its tasks take turns with each, and a
 * turn uses all threads. Weights are read when the first sequence is scored. They stay until {@link
 * #release}.
 */
public final class SharedReward {
  private static final Map<String, Held> HELD = new HashMap<>();

  /** A model's files here, and what of them is open. Encoders are safe for several threads. */
  private static final class Held {
    private final Path model;
    private final Path base;
    private final Map<String, AnswerEncoder> encoders = new HashMap<>();
    private @Nullable RewardModel open;

    Held(Path model, Path base) {
      this.model = model;
      this.base = base;
    }
  }

  /**
   * What a task needs to ask a reward model; small, for closures.
   *
   * @param model path as the driver knows it
   * @param base path of what an adapter stands on; the model where it is none
   * @param hash of the bytes of both
   * @param local whether the session is local, so that the driver's files are the task's
   * @param threads that compute; 0 for the task's cores
   */
  public record Access(String model, String base, String hash, boolean local, int threads)
      implements Serializable {
    /** The scores of sequences, as {@link RewardModel#score}. */
    public double[] score(List<int[]> sequences) {
      return with(reward -> reward.score(sequences));
    }

    /** Works with the model while no other task does. */
    public <T> T with(Function<RewardModel, T> work) {
      return SharedReward.with(this, work);
    }

    /**
     * The model's encoder.
     *
     * @param template name of a preset; empty takes the model's own
     * @param inputs what the model's own is told beside the dialogue
     */
    public AnswerEncoder encoder(String template, TemplateInputs inputs) {
      return SharedReward.encoder(this, template, inputs);
    }
  }

  private SharedReward() {}

  /**
   * Sends a reward model to executors, where there are any.
   *
   * @param threads of its kernels; 0 for the task's cores
   * @throws dev.distillery.core.format.ModelFileException if it is no reward model
   */
  public static Access access(SparkContext context, Path model, int threads) throws IOException {
    var unused = RewardModel.check(model);
    Path base = RewardModel.base(model);
    ShippedModel.ship(context, model.toString());
    if (!base.equals(model)) {
      ShippedModel.ship(context, base.toString());
    }
    return new Access(
        model.toString(), base.toString(), hash(model, base), context.isLocal(), threads);
  }

  /**
   * What tells a reward model from every other: the hash of its bytes, and of those of the base
   * that its adapter stands on.
   *
   * @throws dev.distillery.core.format.ModelFileException if it is no reward model
   */
  public static String fingerprint(Path model) throws IOException {
    return hash(model, RewardModel.base(model));
  }

  private static String hash(Path model, Path base) throws IOException {
    return base.equals(model)
        ? ModelHash.of(model)
        : ModelHash.of(model) + "+" + ModelHash.of(base);
  }

  private static synchronized <T> T with(Access access, Function<RewardModel, T> work) {
    Held held = held(access);
    RewardModel open = held.open;
    if (open == null) {
      try {
        open = RewardModel.open(held.model, held.base, threads(access));
      } catch (IOException e) {
        throw unread(held.model, e);
      }
      held.open = open;
    }
    return work.apply(open);
  }

  private static synchronized AnswerEncoder encoder(
      Access access, String template, TemplateInputs inputs) {
    Held held = held(access);
    return held.encoders.computeIfAbsent(
        template + " " + inputs,
        key -> {
          try {
            return RewardModel.encoder(held.model, held.base, template, inputs);
          } catch (IOException e) {
            throw unread(held.model, e);
          }
        });
  }

  private static Held held(Access access) {
    Held held = HELD.get(access.hash());
    if (held != null) {
      return held;
    }
    Path here = ShippedModel.here(access.model());
    Path base = ShippedModel.here(access.base());
    try {
      if (!access.local() && !hash(here, base).equals(access.hash())) {
        throw new IllegalStateException(
            "The reward model at %s is another than the driver's %s: SHA-256 %s, not %s"
                .formatted(here, access.model(), hash(here, base), access.hash()));
      }
    } catch (IOException e) {
      throw unread(here, e);
    }
    held = new Held(here, base);
    HELD.put(access.hash(), held);
    return held;
  }

  private static UncheckedIOException unread(Path model, IOException why) {
    return new UncheckedIOException(
        "Cannot read the reward model %s: %s".formatted(model, why.getMessage()), why);
  }

  private static int threads(Access access) {
    if (access.threads() > 0 || access.local()) {
      return access.threads();
    }
    TaskContext task = TaskContext.get();
    return task == null ? 0 : Math.max(1, task.cpus());
  }

  /** Frees a model, where this JVM holds it. */
  public static synchronized void release(Access access) {
    Held held = HELD.remove(access.hash());
    if (held != null && held.open != null) {
      held.open.close();
    }
  }
}
