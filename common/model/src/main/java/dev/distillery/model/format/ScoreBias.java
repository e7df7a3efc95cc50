package dev.distillery.model.format;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What a reward model adds to its score: {@code distillery_score_bias} of config.json, which {@link
 * ModelConfig#scoreBias} is read from and Hugging Face's sequence head has no place for. An adapter
 * has no config.json; its bias stands under the same name in {@code score_bias.json}.
 */
public final class ScoreBias {
  /** Of an adapter. */
  public static final String FILE = "score_bias.json";

  private ScoreBias() {}

  /**
   * The bias in an adapter's folder; 0 where none is written.
   *
   * @throws ModelFileException if it is no finite number
   */
  public static double read(Path adapter) throws IOException {
    Path file = adapter.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      return 0;
    }
    double bias = ModelJson.read(file).number(HuggingFaceConfig.SCORE_BIAS, 0);
    if (!Double.isFinite(bias)) {
      throw new ModelFileException(file, "the score's bias must be finite: " + bias);
    }
    return bias;
  }

  /** Writes the bias into a folder that {@link AdapterFiles} has written. */
  public static void write(Path adapter, double bias) throws IOException {
    ObjectNode json = ModelJson.newObject().put(HuggingFaceConfig.SCORE_BIAS, bias);
    Files.write(adapter.resolve(FILE), ModelJson.bytes(json));
  }
}
