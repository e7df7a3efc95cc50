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
import dev.distillery.model.nn.Tensor;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.model.train.GradientSum;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The model that is trained, in the memory of one JVM, with the objective over it, and the value
 * network where there is one.
 */
final class Policy implements AutoCloseable {
  private final Kernels kernels;
  private final ParameterSpace trained;
  private final Decoder decoder;
  private final @Nullable Decoder network;
  private final TrainingObjective.Computation computation;
  private final GradientSum sum;
  private long opening;

  private Policy(
      Kernels kernels,
      ParameterSpace trained,
      Decoder decoder,
      Optional<Decoder> network,
      TrainingObjective objective) {
    this.kernels = kernels;
    this.trained = trained;
    this.decoder = decoder;
    this.network = network.orElse(null);
    this.computation = objective.open(decoder, network);
    this.sum = new GradientSum(kernels, trained.slots());
  }

  /** A model's weights as they were read. */
  private record Read(PolicySpec spec, ModelConfig config, Parameters parameters) {
    static Read of(PolicySpec spec, Path here, Kernels kernels) {
      try (ModelFiles files = ModelFiles.open(here)) {
        ModelConfig config = spec.config(files);
        return new Read(
            spec,
            config,
            Weights.open(
                config,
                kernels,
                files.weights(),
                spec.training(config),
                spec.frozenForm(files.gguf().isPresent())));
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot read the model " + here + ": " + e.getMessage(), e);
      }
    }

    /** The model over its trained weights where they lie now. */
    Decoder over(Kernels kernels, ParameterSpace trained) {
      return new Decoder(
          config,
          kernels,
          new Parameters(trained, parameters.frozen(), parameters.stored()),
          spec.adapters(config),
          spec.recompute());
    }
  }

  /**
   * Reads the model; what it lacks is drawn from the seed.
   *
   * @param here where the model lies on this machine
   * @param threads that compute
   */
  static Policy open(PolicySpec spec, Path here, TrainingObjective objective, int threads) {
    Kernels kernels = KernelSets.create(threads);
    Read own = Read.of(spec, here, kernels);
    Optional<Read> network =
        spec.network().map(value -> Read.of(value, ShippedModel.here(value.model()), kernels));
    ParameterSpace trained =
        trained(
            kernels,
            own.parameters().trainable(),
            network.map(read -> read.parameters().trainable()));
    return new Policy(
        kernels,
        trained,
        own.over(kernels, trained.without(DecoderLayout.VALUE_NETWORK)),
        network.map(read -> read.over(kernels, trained.within(DecoderLayout.VALUE_NETWORK))),
        objective);
  }

  /** The weights of a policy and of its value network in one space, theirs closed. */
  static ParameterSpace trained(
      Kernels kernels, ParameterSpace own, Optional<ParameterSpace> network) {
    if (network.isEmpty()) {
      return own;
    }
    try (ParameterSpace first = own;
        ParameterSpace second = network.get()) {
      return ParameterSpace.joined(kernels, first, DecoderLayout.VALUE_NETWORK, second);
    }
  }

  /**
   * Sets the adapters of a space to those of a folder, of the same shape, and rows of tokens to its
   * where it has some.
   */
  static void readAdapter(ParameterSpace space, PolicySpec spec, ModelFiles files, String adapter)
      throws IOException {
    ModelConfig config = spec.config(files);
    AdapterFiles.Adapter given = AdapterFiles.read(Path.of(adapter));
    try (var weights = given.weights()) {
      LoraOptions lora = spec.lora();
      List<String> targets = spec.targets(config).stream().sorted().toList();
      if (given.config().rank() != lora.rank()
          || given.config().scale() != lora.alpha() / lora.rank()
          || !given.config().targets().stream().sorted().toList().equals(targets)) {
        throw JobException.invalid(
            "Option --adapter: %s has rank %s, scale %s and targets %s; give --lora-rank, --lora-alpha and --lora-targets that say so (now rank %s, scale %s, targets %s)"
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
      for (List<Integer> rows : given.config().tokens().values()) {
        if (!spec.tokens().equals(rows.stream().sorted().toList())) {
          Tokenizer tokenizer = Tokenizers.of(files);
          throw JobException.invalid(
              "Option --adapter: %s has rows of the tokens %s, and here those of %s are trained; give --train-tokens with the adapter's, or merge it by the job export first"
                  .formatted(
                      adapter,
                      rows.stream().map(tokenizer::token).toList(),
                      spec.tokens().stream().map(tokenizer::token).toList()));
        }
      }
      Set<String> left = new TreeSet<>(weights.weights().keySet());
      for (Slot slot : space.slots()) {
        if (DecoderLayout.isValueHead(slot)) {
          continue;
        }
        String name = AdapterOutput.fileName(slot.name());
        Tensor into = space.slot(slot.name()).orElseThrow();
        Optional<List<Integer>> rows = AdapterOutput.tokens(slot, given.config());
        if (rows.isPresent()) {
          readRows(into, spec.tokens(), weights.read(name), rows.get());
        } else if (!AdapterOutput.isOfTokens(slot)) {
          into.write(weights.read(name));
        }
        left.remove(name);
      }
      if (!left.isEmpty()) {
        throw JobException.invalid(
            "Option --adapter: %s holds %s, which is not trained here: merge it by the job export first"
                .formatted(adapter, String.join(", ", left)));
      }
    }
  }

  /** The adapter may have them in another order. */
  private static void readRows(
      Tensor into, List<Integer> tokens, float[] values, List<Integer> ids) {
    for (int i = 0; i < tokens.size(); i++) {
      int from = ids.indexOf(tokens.get(i)) * into.columns();
      into.rows(i, 1).write(Arrays.copyOfRange(values, from, from + into.columns()));
    }
  }

  Kernels kernels() {
    return kernels;
  }

  /** What moves: the policy's own, and the value network's behind it. */
  ParameterSpace trained() {
    return trained;
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
    close(decoder);
    if (network != null) {
      close(network);
    }
    trained.close();
    kernels.close();
  }

  /** Its trained weights are a view. */
  private static void close(Decoder decoder) {
    decoder.close();
    decoder.parameters().close();
  }
}
