package dev.distillery.training.student;

import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * The one student of this JVM that scores texts: its tasks take turns, and each turn uses all
 * threads. Another model takes the place of the one before.
 */
public final class SharedStudent {
  private static @Nullable Open open;

  private record Open(Path model, int threads, Student student) {}

  private static @Nullable ContinuationScorer scorer;

  private SharedStudent() {}

  /** The student of a model that the driver knows by this path. */
  public static synchronized Student of(String model, int threads) {
    Path here = ShippedModel.here(model);
    Open now = open;
    if (now != null && now.model().equals(here) && now.threads() == threads) {
      return now.student();
    }
    try {
      closeBoth();
      Student student = Student.open(here, threads);
      open = new Open(here, threads, student);
      return student;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Works with student and scorer while no other task does. */
  public static synchronized <T> T with(
      String model, int threads, BiFunction<Student, ContinuationScorer, T> work) {
    Student student = of(model, threads);
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
