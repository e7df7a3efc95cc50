package dev.distillery.training.reward;

import dev.distillery.core.teacher.testing.FetchedModel;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.FrozenForm;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Trainable;
import dev.distillery.model.nn.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Reward models of the tiny student's shape: ChatML, a context of 64. */
public final class TinyReward {
  private TinyReward() {}

  /** The student that they are made of. */
  public static Path student() {
    return FetchedModel.root().resolve("common/model/src/test/resources/golden/student");
  }

  /** Writes one with a head that is drawn, and the student's tokenizer. */
  public static Path write(Path directory, double bias) throws IOException {
    return write(directory, bias, 1);
  }

  static Path write(Path directory, double bias, int labels) throws IOException {
    Files.createDirectories(directory);
    try (ModelFiles files = ModelFiles.open(student());
        Kernels kernels = KernelSets.create(1)) {
      ModelConfig config =
          files.config().toBuilder().labels(labels).scoreBias(bias).initializerRange(0.5).build();
      try (Parameters parameters =
          Weights.open(
              config,
              kernels,
              files.weights(),
              Trainable.NONE,
              Optional.empty(),
              FrozenForm.FLOAT32,
              7)) {
        ModelWriter.write(
            directory,
            config,
            files.specialTokens(),
            Weights.source(parameters, ModelTensors.of(config)),
            TensorType.F32);
      }
    }
    for (String name : List.of("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")) {
      Files.copy(student().resolve(name), directory.resolve(name));
    }
    return directory;
  }
}
