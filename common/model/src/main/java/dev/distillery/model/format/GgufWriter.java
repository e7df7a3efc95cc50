package dev.distillery.model.format;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;

/**
 * Writes a model as a GGUF file that llama.cpp reads. Matrices have the chosen type, the embedding
 * and the head too (llama-quantize's {@code --pure}); vectors stay F32, as llama.cpp wants them.
 * Matrices whose rows are not whole blocks have {@link #stored another type}. Rows go into rotary
 * pairs and 1 is added to gains where the family has that ({@link GgufFamily}); a scale of Gemma's
 * scores for which there is no key goes into the gains of its queries.
 */
public final class GgufWriter {
  private static final int ALIGNMENT = 32;

  final ByteArrayOutputStream header = new ByteArrayOutputStream();

  GgufWriter() {}

  /**
   * Writes a model.
   *
   * @param file is replaced if it is there
   * @param tokenizer further metadata, by key, the tokenizer's: {@link String}, {@link Boolean},
   *     {@link Integer} (stored as unsigned 32-bit), {@link Float}, or a list of one of these
   *     (integers stored as signed 32-bit)
   * @param type {@code F32}, {@code F16}, or one of the quantised
   * @throws IllegalArgumentException naming what of the model GGUF cannot say
   */
  public static void write(
      Path file,
      ModelConfig config,
      SpecialTokens tokens,
      Map<String, Object> tokenizer,
      WeightSource weights,
      TensorType type)
      throws IOException {
    int fileType = fileType(type);
    GgufFamily family = GgufFamily.of(config);
    Map<String, String> names = family.tensorNames(config);
    Map<String, Object> metadata = metadata(config, family, tokens, fileType);
    metadata.putAll(tokenizer);
    GgufWriter writer = new GgufWriter();
    List<TensorSpec> specs = ModelTensors.of(config);
    boolean scaled = config.ropeScaling().filter(RopeScaling.Llama3.class::isInstance).isPresent();
    writer.header.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    writer.int32(3);
    writer.int64(specs.size() + (scaled ? 1 : 0));
    writer.int64(metadata.size());
    for (Map.Entry<String, Object> entry : metadata.entrySet()) {
      writer.text(entry.getKey());
      writer.typed(entry.getValue());
    }
    long offset = 0;
    if (scaled) {
      writer.tensor(GgufModel.ROPE_FACTORS, List.of(config.headDim() / 2), TensorType.F32, 0);
      offset = align(4L * (config.headDim() / 2));
    }
    for (TensorSpec spec : specs) {
      TensorType stored = stored(spec, type);
      writer.tensor(Objects.requireNonNull(names.get(spec.name())), spec.shape(), stored, offset);
      offset = align(offset + stored.bytes(spec.elements()));
    }
    try (FileChannel channel = ModelWriter.create(file)) {
      ModelWriter.writeFully(channel, ByteBuffer.wrap(writer.header.toByteArray()));
      pad(channel);
      if (scaled) {
        ModelWriter.writeFully(channel, ropeDivisors(config));
        pad(channel);
      }
      StoredWeights storedWeights = new StoredWeights(config, family, weights);
      for (TensorSpec spec : specs) {
        ModelWriter.writeValues(channel, spec, storedWeights, stored(spec, type));
        pad(channel);
      }
    }
  }

  private static Map<String, Object> metadata(
      ModelConfig config, GgufFamily family, SpecialTokens tokens, int fileType) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    String name = family.ggufName() + ".";
    metadata.put("general.architecture", family.ggufName());
    metadata.put("general.file_type", fileType);
    metadata.put(name + "vocab_size", config.vocabSize());
    metadata.put(name + "context_length", config.maxPositions());
    metadata.put(name + "embedding_length", config.hiddenSize());
    metadata.put(name + "feed_forward_length", config.intermediateSize());
    metadata.put(name + "block_count", config.layers());
    metadata.put(name + "attention.head_count", config.heads());
    metadata.put(name + "attention.head_count_kv", config.kvHeads());
    metadata.put(name + "attention.key_length", config.headDim());
    metadata.put(name + "attention.value_length", config.headDim());
    metadata.put(name + "attention.layer_norm_rms_epsilon", (float) config.normEps());
    metadata.put(name + "rope.dimension_count", config.headDim());
    metadata.put(name + "rope.freq_base", (float) config.ropeTheta());
    config.ropeScaling().ifPresent(scaling -> put(metadata, name, scaling));
    if (family == GgufFamily.GEMMA3) {
      metadata.put(name + "attention.sliding_window", Math.max(1, config.window()));
      metadata.put(name + "attention.sliding_window_pattern", GgufFamily.pattern(config));
      config
          .localRopeTheta()
          .ifPresent(theta -> metadata.put(name + "rope.freq_base_swa", (float) theta));
    }
    if (family == GgufFamily.GRANITE) {
      Scales scales = config.scales();
      metadata.put(name + "embedding_scale", (float) scales.embedding());
      metadata.put(name + "attention.scale", (float) scales.attention());
      metadata.put(name + "residual_scale", (float) scales.residual());
      metadata.put(name + "logit_scale", (float) (1 / scales.logits()));
    }
    tokens.bos().ifPresent(id -> metadata.put("tokenizer.ggml.bos_token_id", id));
    if (!tokens.stop().isEmpty()) {
      metadata.put("tokenizer.ggml.eos_token_id", tokens.stop().get(0));
    }
    if (tokens.stop().size() > 1) {
      metadata.put("tokenizer.ggml.eot_token_id", tokens.stop().get(1));
    }
    tokens.pad().ifPresent(id -> metadata.put("tokenizer.ggml.padding_token_id", id));
    return metadata;
  }

  private static void put(Map<String, Object> metadata, String name, RopeScaling scaling) {
    if (scaling instanceof RopeScaling.Llama3 llama3) {
      metadata.put(name + "rope.scaling.original_context_length", llama3.originalMaxPositions());
      return;
    }
    metadata.put(name + "rope.scaling.factor", (float) scaling.factor());
    if (scaling instanceof RopeScaling.Yarn yarn) {
      metadata.put(name + "rope.scaling.type", "yarn");
      metadata.put(name + "rope.scaling.original_context_length", yarn.originalMaxPositions());
      metadata.put(name + "rope.scaling.yarn_beta_fast", (float) yarn.betaFast());
      metadata.put(name + "rope.scaling.yarn_beta_slow", (float) yarn.betaSlow());
      double own = RopeScaling.Yarn.attentionFactor(yarn.factor(), 1);
      metadata.put(name + "rope.scaling.attn_factor", (float) (yarn.attentionFactor() / own));
    } else {
      metadata.put(name + "rope.scaling.type", "linear");
    }
  }

  /** llama.cpp's number for a file of mostly this type. */
  private static int fileType(TensorType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q4_0 -> 2;
      case Q4_1 -> 3;
      case Q8_0 -> 7;
      case Q5_0 -> 8;
      case Q5_1 -> 9;
      case Q4_K -> 14;
      case Q5_K -> 16;
      case Q6_K -> 18;
      case F64, BF16 -> throw new IllegalArgumentException("GGUF is not written as " + type);
    };
  }

  /**
   * The type that a tensor has in a file of this type. Where a matrix's rows are not whole blocks
   * of 256, Q4_K gives way to Q5_0, Q5_K to Q5_1 and Q6_K to Q8_0, as in llama.cpp; where they are
   * not whole blocks of 32, to F32.
   */
  public static TensorType stored(TensorSpec spec, TensorType type) {
    if (spec.shape().size() == 1) {
      return TensorType.F32;
    }
    if (spec.columns() % type.blockValues() == 0) {
      return type;
    }
    return stored(
        spec,
        switch (type) {
          case Q4_K -> TensorType.Q5_0;
          case Q5_K -> TensorType.Q5_1;
          case Q6_K -> TensorType.Q8_0;
          case F64, F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 -> TensorType.F32;
        });
  }

  private static ByteBuffer ropeDivisors(ModelConfig config) {
    float[] divisors =
        GgufModel.ropeDivisors(
            config.ropeScaling().orElseThrow(), config.ropeTheta(), config.headDim());
    ByteBuffer bytes = ByteBuffer.allocate(4 * divisors.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(divisors);
    return bytes;
  }

  static long align(long offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  static void pad(FileChannel channel) throws IOException {
    int missing = (int) (align(channel.position()) - channel.position());
    ModelWriter.writeFully(channel, ByteBuffer.allocate(missing));
  }

  void tensor(String name, List<Integer> shape, TensorType type, long offset) {
    text(name);
    int32(shape.size());
    for (int i = shape.size() - 1; i >= 0; i--) {
      int64(shape.get(i));
    }
    int32(type.ggmlId());
    int64(offset);
  }

  void typed(Object value) {
    if (value instanceof List<?> list) {
      int32(9);
      int32(list.isEmpty() ? 8 : typeOf(list.get(0), 5));
      int64(list.size());
      list.forEach(this::bare);
    } else {
      int32(typeOf(value, 4));
      bare(value);
    }
  }

  private static int typeOf(Object value, int integer) {
    if (value instanceof Integer) {
      return integer;
    }
    if (value instanceof Float) {
      return 6;
    }
    if (value instanceof Boolean) {
      return 7;
    }
    if (value instanceof String) {
      return 8;
    }
    throw new IllegalArgumentException("GGUF metadata cannot be a " + value.getClass());
  }

  private void bare(Object value) {
    if (value instanceof Integer number) {
      int32(number);
    } else if (value instanceof Float number) {
      int32(Float.floatToRawIntBits(number));
    } else if (value instanceof Boolean flag) {
      header.write(flag ? 1 : 0);
    } else {
      text((String) value);
    }
  }

  void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int64(bytes.length);
    header.writeBytes(bytes);
  }

  void int32(int value) {
    header.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
  }

  void int64(long value) {
    header.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
  }

  /** The same weights as they lie in the file. */
  private record StoredWeights(ModelConfig config, GgufFamily family, WeightSource inner)
      implements WeightSource {
    @Override
    public SortedMap<String, Weight> weights() {
      return inner.weights();
    }

    @Override
    public void read(String name, long start, FloatBuffer into) throws IOException {
      int first = into.position();
      int heads = family.pairedHeads(config, name);
      if (heads == 0) {
        inner.read(name, start, into);
      } else {
        readPairs(name, start, into);
      }
      float added = family.added(name);
      // Granite has a key for its scale; of the others only Gemma's differs.
      double folded =
          family == GgufFamily.GEMMA3 && name.endsWith(".self_attn.q_norm.weight")
              ? config.scales().attention() / family.attentionScale(config)
              : 1;
      for (int i = first; (added != 0 || folded != 1) && i < into.position(); i++) {
        into.put(i, (float) ((into.get(i) + added) * folded));
      }
    }

    private void readPairs(String name, long start, FloatBuffer into) throws IOException {
      TensorSpec spec = Objects.requireNonNull(weights().get(name)).spec();
      int unit = spec.shape().size() == 1 ? 1 : spec.columns();
      int half = config.headDim() / 2;
      long at = start;
      while (into.hasRemaining()) {
        long row = at / unit;
        int column = (int) (at % unit);
        long within = row % config.headDim();
        long from = row - within + within % 2 * half + within / 2;
        int count = Math.min(unit - column, into.remaining());
        inner.read(name, from * unit + column, into.slice(into.position(), count));
        into.position(into.position() + count);
        at += count;
      }
    }

    @Override
    public ByteBuffer rows(String name, int firstRow, int count) {
      throw new UnsupportedOperationException("Only values are written");
    }

    @Override
    public void close() {}
  }
}
