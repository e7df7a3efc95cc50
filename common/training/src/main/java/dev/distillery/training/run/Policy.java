package dev.distillery.training.run;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.AdapterFiles;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.DecoderLayout;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.ParameterSpace;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Slot;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.train.GradientSum;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** The model that is trained, in the memory of one JVM, with the objective over it. */
final class Policy implements AutoCloseable {
  private final ModelConfig config;
  private final Kernels kernels;
  private final Parameters parameters;
  private final Decoder decoder;
  private final TrainingObjective.Computation computation;
  private final GradientSum sum;
  private long opening;

  private Policy(
      ModelConfig config,
      Kernels kernels,
      Parameters parameters,
      Decoder decoder,
      TrainingObjective.Computation computation) {
    this.config = config;
    this.kernels = kernels;
    this.parameters = parameters;
    this.decoder = decoder;
    this.computation = computation;
    this.sum = new GradientSum(kernels, parameters.trainable().slots());
  }

  /**
   * Reads the model; what it lacks is drawn from the seed.
   *
   * @param here where the model lies on this machine
   * @param threads that compute
   */
  static Policy open(PolicySpec spec, Path here, TrainingObjective objective, int threads) {
    try (ModelFiles files = ModelFiles.open(here)) {
      ModelConfig config = spec.config(files);
      Kernels kernels = KernelSets.create(threads);
      Parameters parameters =
          Weights.open(
              config,
              kernels,
              files.weights(),
              spec.training(config),
              spec.frozenForm(files.gguf().isPresent()));
      Decoder decoder =
          new Decoder(config, kernels, parameters, spec.adapters(config), spec.recompute());
      return new Policy(config, kernels, parameters, decoder, objective.open(decoder));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the model " + here + ": " + e.getMessage(), e);
    }
  }

  /** Sets the adapters of a space to those of a folder, of the same shape. */
  static void readAdapter(ParameterSpace space, PolicySpec spec, ModelConfig config, String adapter)
      throws IOException {
    AdapterFiles.Adapter given = AdapterFiles.read(Path.of(adapter));
    try (var weights = given.weights()) {
      LoraOptions lora = spec.lora();
      List<String> targets = spec.targets(config).stream().sorted().toList();
      if (given.config().rank() != lora.rank()
          || given.config().scale() != lora.alpha() / lora.rank()
          || !given.config().targets().stream().sorted().toList().equals(targets)) {
        throw JobException.invalid(
            "Option --adapter: %s has rank %d, scale %s and targets %s; give --lora-rank, --lora-alpha and --lora-targets that say so (now rank %d, scale %s, targets %s)"
                .formatted(
                    adapter,
                    given.config().rank(),
                    given.config().scale(),
                    given.config().targets(),
                    lora.rank(),
                    lora.alpha() / lora.rank(),
                    targets));
      }
      if (!given.config().patterns().isEmpty()) {
        throw JobException.invalid(
            "Option --adapter: %s has a rank or an alpha of its own for some modules, and one is trained for all: merge it by the job export first"
                .formatted(adapter));
      }
      Set<String> left = new TreeSet<>(weights.weights().keySet());
      for (Slot slot : space.slots()) {
        if (DecoderLayout.isValueHead(slot)) {
          continue;
        }
        String name = AdapterOutput.fileName(slot.name());
        space.slot(slot.name()).orElseThrow().write(weights.read(name));
        left.remove(name);
      }
      if (!left.isEmpty()) {
        throw JobException.invalid(
            "Option --adapter: %s holds %s, which is not trained here: merge it by the job export first"
                .formatted(adapter, String.join(", ", left)));
      }
    }
  }

  ModelConfig config() {
    return config;
  }

  Kernels kernels() {
    return kernels;
  }

  Parameters parameters() {
    return parameters;
  }

  Decoder decoder() {
    return decoder;
  }

  TrainingObjective.Computation computation() {
    return computation;
  }

  /** Where gradients are summed; its memory is reused from step to step. */
  GradientSum sum() {
    return sum;
  }

  /** Remembers how many nanoseconds it took to open this. */
  void openedIn(long nanos) {
    opening = nanos;
  }

  /** What {@link #openedIn} was told, once; 0 afterwards. */
  long takeOpening() {
    long taken = opening;
    opening = 0;
    return taken;
  }

  @Override
  public void close() {
    sum.close();
    computation.close();
    decoder.close();
    parameters.close();
    kernels.close();
  }
}
