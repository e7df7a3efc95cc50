package dev.distillery.training.run;

import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.spark.SparkContext;

/**
 * A model that runs beside the student and does not move: a teacher whose probabilities are
 * learned, a reference that a policy is held near to. It is read once a JVM, in the blocks of its
 * file where that is GGUF.
 *
 * @param model path as the driver knows it
 * @param hash of its bytes, which an executor that reads another copy compares; empty: not compared
 */
public record FrozenModel(String model, String hash) implements Serializable {
  /**
   * A model as the tasks of a session find it: sent to executors where there are any.
   *
   * @param option that names it, for messages
   * @param student that it runs beside; executors tell models by the last part of their paths
   */
  public static FrozenModel of(SparkContext context, String option, String model, String student)
      throws IOException {
    if (context.isLocal()) {
      return new FrozenModel(model, "");
    }
    if (!model.equals(student) && Path.of(student).endsWith(Path.of(model).getFileName())) {
      throw JobException.invalid(
          "Option %s: %s and --model %s have one name, and executors know them by it: rename one"
              .formatted(option, model, student));
    }
    ShippedModel.ship(context, model);
    return new FrozenModel(model, ModelHash.of(Path.of(model)));
  }

  /**
   * Refuses what cannot tell probabilities of the student's tokens.
   *
   * @param option that names it
   * @param maxLength tokens of a row at most
   */
  public static void check(String option, String model, ModelFiles student, int maxLength)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      int own = student.config().vocabSize();
      int other = files.config().vocabSize();
      if (files.config().labels() > 0) {
        throw refused(option, model, "it scores texts and has no probabilities of tokens");
      }
      if (own != other) {
        throw refused(
            option,
            model,
            "its vocabulary has %s tokens and the student's %s, so that probabilities cannot be compared"
                .formatted(other, own));
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option " + option + ": " + e.getMessage());
    }
    checkTokens(option, model, student, maxLength);
  }

  /**
   * Refuses what cannot read the student's rows as they are.
   *
   * @param option that names it
   * @param maxLength tokens of a row at most
   */
  public static void checkTokens(String option, String model, ModelFiles student, int maxLength)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(model))) {
      Tokenizer tokens = Tokenizers.of(student);
      Tokenizer theirs = Tokenizers.of(files);
      // Padding rows that the tokenizer does not name are sampled too.
      int written = Math.max(tokens.vocabSize(), student.config().vocabSize());
      if (files.config().vocabSize() < written) {
        throw refused(
            option,
            model,
            "its vocabulary has %s tokens, and the student writes %s"
                .formatted(files.config().vocabSize(), written));
      }
      int shared = Math.min(tokens.vocabSize(), theirs.vocabSize());
      for (int id = 0; id < shared; id++) {
        if (!tokens.token(id).equals(theirs.token(id))) {
          throw refused(
              option,
              model,
              "token %s is '%s' and the student's is '%s': theirs are two vocabularies"
                  .formatted(id, theirs.token(id), tokens.token(id)));
        }
      }
      if (files.config().maxPositions() < maxLength) {
        throw refused(
            option,
            model,
            "its context is %s tokens, and rows have up to %s: give --max-length %1$s"
                .formatted(files.config().maxPositions(), maxLength));
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option " + option + ": " + e.getMessage());
    }
  }

  private static JobException refused(String option, String model, String why) {
    return JobException.invalid(
        "Option %s: %s cannot run beside the student: %s".formatted(option, model, why));
  }

  /** Bytes that it takes in each JVM, about. */
  public long heldBytes() {
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
      throw new UncheckedIOException("Cannot read the model " + model, e);
    }
  }

  /** Reads it, into the kernels of the student. */
  public Open open(Kernels kernels) {
    Path here = ShippedModel.here(model);
    try {
      if (!hash.isEmpty() && !ModelHash.of(here).equals(hash)) {
        throw new IllegalStateException(
            "The model at %s is another than the driver's %s".formatted(here, model));
      }
      return new Open(ModelFiles.open(here), kernels);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the model " + here + ": " + e.getMessage(), e);
    }
  }

  /** The model at work. */
  public static final class Open implements AutoCloseable {
    private final ModelFiles files;
    private final Parameters parameters;
    private final Decoder decoder;

    /** Closes the files with itself: its blocks are read from there. */
    private Open(ModelFiles files, Kernels kernels) throws IOException {
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

    public Decoder decoder() {
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
}
