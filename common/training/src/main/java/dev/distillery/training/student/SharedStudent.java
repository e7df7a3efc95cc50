package dev.distillery.training.student;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.BiFunction;
import org.apache.spark.SparkEnv;
import org.jspecify.annotations.Nullable;

/**
 * The one student of this JVM that scores texts: its tasks take turns, and each turn uses all
 * threads. Another model takes the place of the one before.
 */
public final class SharedStudent {
  private static @Nullable Open open;

  private record Open(Path model, String hash, int threads, Student student) {}

  private static @Nullable ContinuationScorer scorer;

  private SharedStudent() {}

  /**
   * The student of a model.
   *
   * @param model path as the driver knows it
   * @param hash of its bytes as the run began, or the head of it: a model that was replaced since
   *     another run read it is read anew
   * @param threads that compute; 0 for all processors
   */
  public static synchronized Student of(String model, String hash, int threads) {
    Path here = ShippedModel.here(model);
    Open now = open;
    if (now != null
        && now.model().equals(here)
        && now.hash().equals(hash)
        && now.threads() == threads) {
      return now.student();
    }
    try {
      closeBoth();
      if (isExecutor() && !ModelHash.of(here).startsWith(hash)) {
        throw JobException.invalid(
            "The model at %s is not that which the run began with, of SHA-256 %s: it was replaced meanwhile, or is another than the driver's %s"
                .formatted(here, hash, model));
      }
      Student student = Student.open(here, threads);
      open = new Open(here, hash, threads, student);
      return student;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The driver has just hashed its own files. */
  private static boolean isExecutor() {
    SparkEnv environment = SparkEnv.get();
    return environment != null && !environment.executorId().equals("driver");
  }

  /** Works with student and scorer while no other task does. */
  public static synchronized <T> T with(
      String model, String hash, int threads, BiFunction<Student, ContinuationScorer, T> work) {
    Student student = of(model, hash, threads);
    return work.apply(student, scorer(student));
  }

  private static ContinuationScorer scorer(Student student) {
    ContinuationScorer now = scorer;
    if (now == null) {
      try {
        now = new ContinuationScorer(student.decoder());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      scorer = now;
    }
    return now;
  }

  /** Frees the student; the next to ask opens it again. */
  public static synchronized void release() {
    try {
      closeBoth();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void closeBoth() throws IOException {
    if (scorer != null) {
      scorer.close();
      scorer = null;
    }
    if (open != null) {
      open.student().close();
      open = null;
    }
  }
}
