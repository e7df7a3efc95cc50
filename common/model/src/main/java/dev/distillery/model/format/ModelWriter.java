package dev.distillery.model.format;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Writes a Hugging Face directory: config.json, generation_config.json with the stop ids, and the
 * weights, in shards where they are long. Values go through a buffer of a few MiB, whatever the
 * model's size. The tokenizer's files are the caller's to add. config.json is written last: a
 * directory without it is not a model.
 */
public final class ModelWriter {
  /** Longest file of weights; the default of transformers before 5. */
  public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

  private static final int CHUNK_VALUES = 1 << 20;

  /** Whole blocks of any type. */
  private static final int PART_VALUES = 1 << 14;

  private static final float MAX_HALF = 65_504;

  private ModelWriter() {}

  /**
   * Writes a model, as {@link #write(Path, ModelConfig, SpecialTokens, WeightSource, TensorType,
   * long)} with shards of {@link #DEFAULT_SHARD_BYTES}.
   */
  public static void write(
      Path directory,
      ModelConfig config,
      SpecialTokens tokens,
      WeightSource weights,
      TensorType type)
      throws IOException {
    write(directory, config, tokens, weights, type, DEFAULT_SHARD_BYTES);
  }

  /**
   * Writes a model.
   *
   * @param directory is made if it is not there; must not hold a model yet
   * @param weights what {@link ModelTensors#of} lists for this configuration, at least
   * @param type {@code F32}, {@code F16} or {@code BF16}, rounded to nearest
   * @param shardBytes a file is closed before it would grow over this
   * @throws ModelFileException if the directory holds a model or a tensor is missing
   */
  public static void write(
      Path directory,
      ModelConfig config,
      SpecialTokens tokens,
      WeightSource weights,
      TensorType type,
      long shardBytes)
      throws IOException {
    ObjectNode json = HuggingFaceConfigWriter.write(config, tokens, type);
    Files.createDirectories(directory);
    Path configFile = directory.resolve(HuggingFaceReader.CONFIG);
    if (Files.exists(configFile)) {
      throw new ModelFileException(directory, "it holds a model already; choose another directory");
    }
    List<List<TensorSpec>> shards = shards(ModelTensors.of(config), type, shardBytes);
    ObjectNode index = ModelJson.newObject();
    ObjectNode map = index.putObject("weight_map");
    long total = 0;
    for (int i = 0; i < shards.size(); i++) {
      String name =
          shards.size() == 1
              ? HuggingFaceReader.WEIGHTS
              : String.format(Locale.ROOT, "model-%05d-of-%05d.safetensors", i + 1, shards.size());
      total += writeShard(directory.resolve(name), shards.get(i), weights, type);
      shards.get(i).forEach(spec -> map.put(spec.name(), name));
    }
    if (shards.size() > 1) {
      index.putObject("metadata").put("total_size", total);
      Files.write(directory.resolve(HuggingFaceReader.INDEX), ModelJson.bytes(index));
    }
    ObjectNode generation = ModelJson.newObject();
    tokens.write(generation);
    Files.write(directory.resolve(HuggingFaceReader.GENERATION), ModelJson.bytes(generation));
    Files.write(configFile, ModelJson.bytes(json));
  }

  private static List<List<TensorSpec>> shards(
      List<TensorSpec> specs, TensorType type, long shardBytes) {
    List<List<TensorSpec>> shards = new ArrayList<>();
    long room = 0;
    for (TensorSpec spec : specs) {
      long bytes = type.bytes(spec.elements());
      if (shards.isEmpty() || bytes > room) {
        shards.add(new ArrayList<>());
        room = shardBytes;
      }
      shards.get(shards.size() - 1).add(spec);
      room -= bytes;
    }
    return shards;
  }

  /** Writes one safetensors file and returns the bytes of its tensors. */
  static long writeShard(Path file, List<TensorSpec> specs, WeightSource weights, TensorType type)
      throws IOException {
    try (FileChannel channel = create(file)) {
      writeFully(channel, SafetensorsFile.header(specs, type));
      long start = channel.position();
      for (TensorSpec spec : specs) {
        writeValues(channel, spec, weights, type);
      }
      return channel.position() - start;
    }
  }

  static FileChannel create(Path file) throws IOException {
    return FileChannel.open(
        file,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE);
  }

  /** Appends a tensor's values. */
  static void writeValues(
      FileChannel channel, TensorSpec spec, WeightSource weights, TensorType type)
      throws IOException {
    WeightSource.Weight weight = weights.weights().get(spec.name());
    if (weight == null || !weight.spec().equals(spec)) {
      throw new ModelFileException(
          "Cannot write tensor "
              + spec.name()
              + " "
              + spec.shape()
              + ": the weights have "
              + (weight == null ? "none" : weight.spec().shape()));
    }
    float[] values = new float[(int) Math.min(CHUNK_VALUES, spec.elements())];
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(type.bytes(values.length)));
    for (long at = 0; at < spec.elements(); at += values.length) {
      int count = (int) Math.min(values.length, spec.elements() - at);
      weights.read(spec.name(), at, FloatBuffer.wrap(values, 0, count));
      if (type.quantised()) {
        checkForBlocks(spec, type, values, count);
      }
      encode(type, values, count, bytes.clear());
      writeFully(channel, bytes.flip());
    }
  }

  /** One value that is no number, or too large for a block's scale, spoils those beside it. */
  private static void checkForBlocks(TensorSpec spec, TensorType type, float[] values, int count)
      throws ModelFileException {
    for (int i = 0; i < count; i++) {
      if (!(Math.abs(values[i]) <= MAX_HALF)) {
        throw new ModelFileException(
            "Cannot write tensor "
                + spec.name()
                + " as "
                + type
                + ": it holds "
                + values[i]
                + ", and blocks hold numbers from -65504 to 65504; write it as F32");
      }
    }
  }

  /** Encodes in parts side by side: a block's bytes depend on its values alone. */
  private static void encode(TensorType type, float[] values, int count, ByteBuffer into) {
    IntStream.range(0, (count + PART_VALUES - 1) / PART_VALUES)
        .parallel()
        .forEach(
            part -> {
              int from = part * PART_VALUES;
              int length = Math.min(PART_VALUES, count - from);
              ByteBuffer place = into.slice((int) type.bytes(from), (int) type.bytes(length));
              BlockCodec.encode(type, values, from, length, place);
            });
    into.position((int) type.bytes(count));
  }

  static void writeFully(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
