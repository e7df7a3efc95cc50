package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The value head of PPO beside a model or an adapter: {@code value_head.safetensors}, with TRL's
 * names, {@code v_head.summary.weight} [1, hidden] and {@code v_head.summary.bias} [1], float32.
 * Neither a Hugging Face model nor a PEFT adapter has a place for it.
 */
public final class ValueHeadFile {
  /** Name of the file. */
  public static final String NAME = "value_head.safetensors";

  private static final String WEIGHT = "v_head.summary.weight";
  private static final String BIAS = "v_head.summary.bias";

  private ValueHeadFile() {}

  /**
   * A value head.
   *
   * @param weight [hidden]
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read: a copy would help nobody.
  public record ValueHead(float[] weight, float bias) {}

  /** Whether a folder has one. */
  public static boolean exists(Path directory) {
    return Files.isRegularFile(directory.resolve(NAME));
  }

  /** Writes the head into a folder. */
  public static void write(Path directory, ValueHead head) throws IOException {
    ArrayWeights weights = new ArrayWeights();
    TensorSpec weight = new TensorSpec(WEIGHT, List.of(1, head.weight().length));
    TensorSpec bias = new TensorSpec(BIAS, List.of(1));
    weights.put(weight, head.weight());
    weights.put(bias, new float[] {head.bias()});
    ModelWriter.writeShard(directory.resolve(NAME), List.of(weight, bias), weights, TensorType.F32);
  }

  /**
   * Reads a folder's head.
   *
   * @throws ModelFileException if it is of another width, or no value head at all
   */
  public static ValueHead read(Path directory, int hidden) throws IOException {
    Path file = directory.resolve(NAME);
    try (SafetensorsFile opened = SafetensorsFile.open(file)) {
      float[] weight = values(opened, WEIGHT);
      float[] bias = values(opened, BIAS);
      if (weight.length != hidden || bias.length != 1) {
        throw new ModelFileException(
            file, "it should hold %s of %s values and %s of one".formatted(WEIGHT, hidden, BIAS));
      }
      return new ValueHead(weight, bias[0]);
    }
  }

  /** A tensor of float32; none where it is not there or of another type. */
  private static float[] values(SafetensorsFile file, String name) throws IOException {
    SafetensorsFile.Entry entry = file.entries().get(name);
    if (entry == null || !entry.type().equals("F32")) {
      return new float[0];
    }
    int count = Math.toIntExact(entry.bytes() / Float.BYTES);
    List<Integer> shape = List.of(count);
    MappedWeights weights = new MappedWeights(List.of(file.file()));
    weights.add(
        new WeightSource.Weight(new TensorSpec(name, shape), TensorType.F32),
        new MappedWeights.Place(file.file(), entry.offset(), 0, 0));
    return weights.read(name);
  }
}
