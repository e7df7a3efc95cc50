package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Writes a LoRA adapter of a LLaMA model as a GGUF file that llama.cpp loads over its base ({@code
 * --lora}), and Ollama by a Modelfile's {@code ADAPTER}. Factors are float32.
 */
public final class GgufAdapterWriter {
  /** A factor: its module, and which of the two it is. */
  private static final Pattern FACTOR = Pattern.compile("(.*)\\.lora_([AB])\\.weight");

  private GgufAdapterWriter() {}

  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Factor(String name, TensorSpec spec, float[] values) {}

  /**
   * Writes an adapter.
   *
   * @param file is replaced if it is there
   * @param base what it adapts
   * @param adapter as {@link AdapterFiles#read} gives it
   * @throws IllegalArgumentException naming what of the base GGUF cannot say
   * @throws ModelFileException if it holds something else than factors of the base's matrices,
   *     which llama.cpp cannot load
   */
  public static void write(Path file, ModelConfig base, AdapterFiles.Adapter adapter)
      throws IOException {
    GgufFamily family = GgufFamily.of(base);
    List<Factor> factors = factors(base, family, adapter);
    Map<String, Object> metadata = new LinkedHashMap<>();
    metadata.put("general.architecture", family.ggufName());
    metadata.put("general.type", "adapter");
    metadata.put("adapter.type", "lora");
    // llama.cpp multiplies by alpha / rank, whatever the scale was made of, with each tensor's
    // rank.
    AdapterConfig config = adapter.config();
    if (config.alpha() == 0) {
      throw new ModelFileException(
          "The adapter's lora_alpha is 0, which llama.cpp takes for no scale at all");
    }
    metadata.put("adapter.lora.alpha", (float) (config.scale() * config.rank()));
    GgufWriter writer = new GgufWriter();
    writer.header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    writer.int32(3);
    writer.int64(factors.size());
    writer.int64(metadata.size());
    for (Map.Entry<String, Object> entry : metadata.entrySet()) {
      writer.text(entry.getKey());
      writer.typed(entry.getValue());
    }
    long offset = 0;
    for (Factor factor : factors) {
      writer.tensor(factor.name, factor.spec.shape(), TensorType.F32, offset);
      offset = GgufWriter.align(offset + 4L * factor.values.length);
    }
    try (FileChannel channel = ModelWriter.create(file)) {
      ModelWriter.writeFully(channel, ByteBuffer.wrap(writer.header.toByteArray()));
      GgufWriter.pad(channel);
      for (Factor factor : factors) {
        ArrayWeights values = new ArrayWeights();
        values.put(factor.spec, factor.values);
        ModelWriter.writeValues(channel, factor.spec, values, TensorType.F32);
        GgufWriter.pad(channel);
      }
    }
  }

  private static List<Factor> factors(
      ModelConfig base, GgufFamily family, AdapterFiles.Adapter adapter) throws IOException {
    AdapterConfig config = adapter.config();
    Map<String, String> names = family.tensorNames(base);
    Map<String, TensorSpec> matrices = new HashMap<>();
    ModelTensors.of(base).forEach(spec -> matrices.put(spec.name(), spec));
    List<Factor> factors = new ArrayList<>();
    for (WeightSource.Weight weight : adapter.weights().weights().values()) {
      TensorSpec spec = weight.spec();
      Matcher name = FACTOR.matcher(spec.name());
      TensorSpec matrix = name.matches() ? matrices.get(name.group(1) + ".weight") : null;
      if (matrix == null) {
        throw new ModelFileException(
            "Adapter's tensor "
                + spec.name()
                + " is no factor of the model's matrices, and llama.cpp cannot load it: export the"
                + " merged model");
      }
      boolean first = name.group(2).equals("A");
      if (first ? spec.columns() != matrix.columns() : spec.rows() != matrix.rows()) {
        throw new ModelFileException(
            "Adapter's tensor " + spec.name() + " does not fit " + matrix.shape());
      }
      float[] values = adapter.weights().read(spec.name());
      String theirs = names.get(matrix.name());
      boolean paired = family.pairedHeads(base, matrix.name()) > 0;
      factors.add(
          first
              ? new Factor(theirs + ".lora_a", spec, values)
              : new Factor(
                  theirs + ".lora_b",
                  spec,
                  paired
                      ? inPairs(base, spec.columns(), scaled(values, config, name.group(1)))
                      : scaled(values, config, name.group(1))));
    }
    return factors;
  }

  /** B, with what a module's own scale has over the file's one alpha put into it. */
  private static float[] scaled(float[] values, AdapterConfig config, String module) {
    double own = config.scale(module) * config.rank(module);
    double all = config.scale() * config.rank();
    if (own != all) {
      for (int i = 0; i < values.length; i++) {
        values[i] = (float) (values[i] * (own / all));
      }
    }
    return values;
  }

  /** B's rows lie as the matrix' rows do: those of q and k in rotary pairs. */
  private static float[] inPairs(ModelConfig base, int rank, float[] values) {
    float[] result = new float[values.length];
    int half = base.headDim() / 2;
    for (int row = 0; row < values.length / rank; row++) {
      int within = row % base.headDim();
      int from = row - within + within % 2 * half + within / 2;
      System.arraycopy(values, from * rank, result, row * rank, rank);
    }
    return result;
  }
}
