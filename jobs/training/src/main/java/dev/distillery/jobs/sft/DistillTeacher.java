package dev.distillery.jobs.sft;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.RunOptions.Use;
import dev.distillery.model.format.ModelFileException;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import dev.distillery.training.card.BaseModelTerms;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/** Whether a model can teach a student its probabilities. */
final class DistillTeacher {
  private DistillTeacher() {}

  /**
   * Refuses a teacher whose ids mean other tokens than the student's, or that cannot read its rows.
   *
   * @param maxLength tokens of a row at most
   */
  static void check(String teacher, ModelFiles student, int maxLength, Optional<Use> use)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(Path.of(teacher))) {
      int own = student.config().vocabSize();
      int other = files.config().vocabSize();
      if (files.config().labels() > 0) {
        throw refused(teacher, "it scores texts and has no probabilities of tokens");
      }
      if (own != other) {
        throw refused(
            teacher,
            "its vocabulary has %d tokens and the student's %d, so that probabilities cannot be compared"
                .formatted(other, own));
      }
      Tokenizer tokens = Tokenizers.of(student);
      Tokenizer taught = Tokenizers.of(files);
      int shared = Math.min(tokens.vocabSize(), taught.vocabSize());
      for (int id = 0; id < shared; id++) {
        if (!tokens.token(id).equals(taught.token(id))) {
          throw refused(
              teacher,
              "token %d is '%s' and the student's is '%s': theirs are two vocabularies"
                  .formatted(id, taught.token(id), tokens.token(id)));
        }
      }
      if (files.config().maxPositions() < maxLength) {
        throw refused(
            teacher,
            "its context is %d tokens, and rows have up to %d: give --max-length %1$d"
                .formatted(files.config().maxPositions(), maxLength));
      }
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --distill: " + e.getMessage());
    }
    BaseModelTerms.of(Path.of(teacher)).check(teacher, use);
  }

  private static JobException refused(String teacher, String why) {
    return JobException.invalid("Option --distill: %s cannot teach: %s".formatted(teacher, why));
  }
}
