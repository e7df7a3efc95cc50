package dev.distillery.jobs.logprobs;

import dev.distillery.model.sample.ContinuationScorer;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.job.ShippedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The one student of this JVM: its tasks take turns, and each turn uses all threads. Another model
 * takes the place of the one before.
 */
final class SharedStudent {
  private static @Nullable Open open;

  private record Open(Path model, int threads, Student student) {}

  private static @Nullable ContinuationScorer scorer;

  private SharedStudent() {}

  /** The student of a model that the driver knows by this path. */
  static synchronized Student of(String model, int threads) {
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

  /**
   * The log-probability of each token after those before it. The first stands after BOS (EOS where
   * there is no BOS), as in lm-evaluation-harness; its own is null where it is that token itself,
   * or the model has none.
   */
  static synchronized @Nullable Double[] logprobs(String model, int threads, int[] ids) {
    Student student = of(model, threads);
    OptionalInt start = student.textStart();
    boolean begins = start.isEmpty() || start.getAsInt() == ids[0];
    int[] context = {begins ? ids[0] : start.getAsInt()};
    int[] rest = begins ? Arrays.copyOfRange(ids, 1, ids.length) : ids;
    @Nullable Double[] logprobs = new Double[ids.length];
    if (rest.length > 0) {
      double[] scores = scorer(student).score(context, rest).logProbs();
      for (int i = 0; i < scores.length; i++) {
        logprobs[ids.length - rest.length + i] = scores[i];
      }
    }
    return logprobs;
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
