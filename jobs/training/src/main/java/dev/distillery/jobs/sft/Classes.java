package dev.distillery.jobs.sft;

import dev.distillery.core.run.JobException;
import dev.distillery.model.format.ClassNames;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.training.run.StudentOptions.Trainable;
import dev.distillery.training.tokens.TrainingInputs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** The classes of labelled rows: the distinct outputs, in the order of their bytes. */
final class Classes {
  /** Names that a message shows. */
  private static final int SHOWN = 5;

  private Classes() {}

  /**
   * Refuses a model that cannot be trained as a classifier.
   *
   * @param auxWeight of the next-token loss
   */
  static void check(ModelConfig config, double auxWeight) {
    if (auxWeight > 0 && !config.tieEmbeddings()) {
      throw JobException.invalid(
          "Option --aux-lm-weight: a classifier of this model has no output head for the next-token"
              + " loss, since its head is not its embedding: give --aux-lm-weight 0");
    }
  }

  /**
   * The classes of the rows.
   *
   * @throws JobException where there are none, too many, or others than the model already tells
   *     apart
   */
  static List<String> of(TrainingInputs inputs, SftOptions options) throws IOException {
    int most = options.labels().maxClasses();
    List<String> classes = inputs.distinct("output", most + 1);
    if (classes.size() < 2) {
      throw JobException.invalid(
          "Option --train-on label: the rows' outputs are %s, and a classifier needs two classes at least"
              .formatted(classes.isEmpty() ? "all empty" : "all " + classes.get(0)));
    }
    if (classes.size() > most) {
      throw JobException.invalid(
          "Option --max-classes: the rows have more than %s distinct outputs, such as %s; where these are labels, raise it; where they are answers, leave out --train-on label"
              .formatted(most, shown(classes)));
    }
    Path model = Path.of(options.training().student().model());
    try (ModelFiles files = ModelFiles.open(model)) {
      List<String> own = Files.isDirectory(model) ? ClassNames.read(model) : List.of();
      if (files.config().labels() > 0 && !own.equals(classes)) {
        throw JobException.invalid(
            "Option --model: %s tells %s apart, and the rows' outputs are %s; begin from a model without a head"
                .formatted(model, shown(own), shown(classes)));
      }
    }
    return classes;
  }

  /** Whether only the head moves. */
  static boolean headAlone(SftOptions options) {
    return options.training().student().trainable() == Trainable.HEAD;
  }

  static String shown(List<String> classes) {
    String names =
        String.join(", ", classes.subList(0, Math.min(SHOWN, classes.size())))
            .replaceAll("[\\s\\p{Cc}]+", " ");
    return names.length() > 200
        ? names.substring(0, 200) + "..."
        : names + (classes.size() > SHOWN ? ", ..." : "");
  }
}
