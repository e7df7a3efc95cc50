package dev.distillery.jobs.sft;

import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.nn.Batch;
import dev.distillery.model.nn.Decoder;
import dev.distillery.model.nn.Dropout;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.Gradients;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import dev.distillery.model.sample.ModelHash;
import dev.distillery.model.train.DistillationLoss;
import dev.distillery.model.train.LanguageModelHead;
import dev.distillery.model.train.Targets;
import dev.distillery.model.train.TokenSums;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.training.run.MicroBatch;
import dev.distillery.training.run.NextTokenObjective;
import dev.distillery.training.run.Normaliser;
import dev.distillery.training.run.TrainingObjective;
import dev.distillery.training.tokens.TokenSequence;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/**
 * The divergence of the student's next-token distributions from a teacher's, which runs beside it
 * in the same JVM, frozen; in the blocks of its file where that is GGUF. {@code
 * mean_token_accuracy} is of the rows' tokens.
 */
final class DistillObjective implements TrainingObjective {
  private static final long serialVersionUID = 1L;

  private final String teacher;
  private final String hash;
  private final double beta;
  private final double temperature;

  /**
   * @param teacher path as the driver knows it
   * @param hash of its bytes, which an executor that reads another copy compares; empty: not
   *     compared
   */
  DistillObjective(String teacher, String hash, double beta, double temperature) {
    this.teacher = teacher;
    this.hash = hash;
    this.beta = beta;
    this.temperature = temperature;
  }

  @Override
  public double weight(TokenSequence row) {
    return new NextTokenObjective().weight(row);
  }

  @Override
  public Map<String, Double> metrics(double[] sums) {
    return new NextTokenObjective().metrics(sums);
  }

  @Override
  public long heldBytes() {
    try (ModelFiles files = ModelFiles.open(Path.of(teacher))) {
      boolean blocks = files.gguf().isPresent();
      return files.weights().weights().values().stream()
          .mapToLong(
              weight ->
                  blocks
                      ? weight.type().bytes(weight.spec().elements())
                      : Float.BYTES * weight.spec().elements())
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the teacher " + teacher, e);
    }
  }

  @Override
  public Computation open(Decoder decoder) {
    Path here = ShippedModel.here(teacher);
    try {
      if (!hash.isEmpty() && !ModelHash.of(here).equals(hash)) {
        throw new IllegalStateException(
            "The teacher at %s is another than the driver's %s".formatted(here, teacher));
      }
      return new Work(
          decoder, ModelFiles.open(here), new DistillationLoss.Options(beta, temperature));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the teacher " + here + ": " + e.getMessage(), e);
    }
  }

  private static final class Work implements Computation {
    private final Decoder student;
    private final ModelFiles files;
    private final Parameters parameters;
    private final Decoder teacher;
    private final LanguageModelHead head;
    private final DistillationLoss loss;

    /** Closes the teacher's files with itself: its blocks are read from there. */
    Work(Decoder student, ModelFiles files, DistillationLoss.Options options) throws IOException {
      this.student = student;
      this.files = files;
      this.parameters =
          Weights.open(
              files.config(),
              student.kernels(),
              files.weights(),
              Trainable.NONE,
              Optional.empty(),
              files.gguf().isPresent() ? FrozenForm.AS_STORED : FrozenForm.FLOAT32,
              0);
      this.teacher =
          new Decoder(files.config(), student.kernels(), parameters, Optional.empty(), false);
      this.head = new LanguageModelHead(teacher);
      this.loss = new DistillationLoss(student, options);
    }

    @Override
    public double[] addGradient(
        MicroBatch batch, Normaliser normaliser, Dropout dropout, Gradients gradients) {
      Batch documents = batch.documents();
      double[] sums = new double[5];
      var unused =
          loss.objective(
                  documents,
                  Targets.next(documents, batch.weights()),
                  normaliser.weight(),
                  dropout,
                  head,
                  seen -> System.arraycopy(array(seen), 0, sums, 0, sums.length))
              .addGradient(student, gradients);
      return sums;
    }

    @Override
    public double[] evaluate(MicroBatch batch) {
      Batch documents = batch.documents();
      return array(loss.evaluate(documents, Targets.next(documents, batch.weights()), head));
    }

    private static double[] array(TokenSums sums) {
      return new double[] {
        sums.loss(), sums.weight(), sums.tokens(), sums.correct(), sums.entropy()
      };
    }

    @Override
    public void close() {
      loss.close();
      head.close();
      teacher.close();
      parameters.close();
      try {
        files.close();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
