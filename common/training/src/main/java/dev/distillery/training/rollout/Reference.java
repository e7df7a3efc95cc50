package dev.distillery.training.rollout;

import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.ModelHash;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * What the policy is held near to: itself without its adapters, or a frozen copy that is read once
 * a JVM from a model's files, in the blocks of a GGUF file where that is one.
 *
 * @param model path as the driver knows it; empty for the policy without adapters
 * @param hash of its bytes, which an executor that reads another copy compares; empty: not compared
 */
public record Reference(String model, String hash) implements Serializable {
  /** The policy without its adapters. */
  public static final Reference ADAPTERS_OFF = new Reference("", "");

  /** Whether it is a model of its own. */
  boolean isCopy() {
    return !model.isEmpty();
  }

  /** Bytes that a copy takes, about. */
  long heldBytes() {
    if (!isCopy()) {
      return 0;
    }
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      boolean blocks = files.gguf().isPresent();
      return files.weights().weights().values().stream()
          .mapToLong(
              weight ->
                  blocks
                      ? weight.type().bytes(weight.spec().elements())
                      : Float.BYTES * weight.spec().elements())
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the reference " + model, e);
    }
  }

  /** A copy at work. */
  static final class Copy implements AutoCloseable {
    private final ModelFiles files;
    private final Parameters parameters;
    private final Decoder decoder;

    private Copy(ModelFiles files, Kernels kernels) throws IOException {
      this.files = files;
      this.parameters =
          Weights.open(
              files.config(),
              kernels,
              files.weights(),
              Trainable.NONE,
              Optional.empty(),
              files.gguf().isPresent() ? FrozenForm.AS_STORED : FrozenForm.FLOAT32,
              0);
      this.decoder = new Decoder(files.config(), kernels, parameters, Optional.empty(), false);
    }

    Decoder decoder() {
      return decoder;
    }

    @Override
    public void close() {
      decoder.close();
      parameters.close();
      try {
        files.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Reads the copy, in the kernels of the policy. */
  Copy open(Kernels kernels) {
    Path here = ShippedModel.here(model);
    try {
      if (!hash.isEmpty() && !ModelHash.of(here).equals(hash)) {
        throw new IllegalStateException(
            "The reference at %s is another than the driver's %s".formatted(here, model));
      }
      return new Copy(ModelFiles.open(here), kernels);
    } catch (IOException e) {
      throw new UncheckedIOException(
          "Cannot read the reference " + here + ": " + e.getMessage(), e);
    }
  }
}
