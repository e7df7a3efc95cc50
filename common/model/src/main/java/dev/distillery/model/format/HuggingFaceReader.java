package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.regex.Pattern;

/**
 * A Hugging Face directory: config.json, generation_config.json where there is one, and
 * model.safetensors, or else its shards with model.safetensors.index.json. The tensors that the
 * configuration calls for must be there in their shapes. What transformers passes over is passed
 * over too, but named: an index beside a single file, its entries of tensors that no shard has,
 * tensors that nothing reads; and a head of its own counts, whatever the configuration ties.
 */
final class HuggingFaceReader {
  static final String CONFIG = "config.json";
  static final String GENERATION = "generation_config.json";
  static final String WEIGHTS = "model.safetensors";
  static final String INDEX = "model.safetensors.index.json";

  private static final int MAX_SHARDS = 4096;

  /** Buffers that older versions of transformers saved along with the weights. */
  private static final Pattern BUFFER =
      Pattern.compile(".*\\.(rotary_emb\\.inv_freq|attn\\.bias|attn\\.masked_bias)");

  /** How many values of two matrices are compared at once. */
  private static final int COMPARED = 1 << 20;

  /** A tensor and the file it is in. */
  private record Found(SafetensorsFile file, SafetensorsFile.Entry entry) {}

  private final Path directory;
  private final Map<String, Found> found = new HashMap<>();
  private final List<SafetensorsFile> files = new ArrayList<>();
  private final List<String> warnings = new ArrayList<>();

  private HuggingFaceReader(Path directory) {
    this.directory = directory;
  }

  static ModelFiles open(Path directory) throws IOException {
    return new HuggingFaceReader(directory).open();
  }

  private ModelFiles open() throws IOException {
    ModelJson json = ModelJson.read(directory.resolve(CONFIG));
    ModelConfig config = HuggingFaceConfig.read(json);
    Path generationFile = directory.resolve(GENERATION);
    Optional<ModelJson> generation =
        Files.exists(generationFile)
            ? Optional.of(ModelJson.read(generationFile))
            : Optional.empty();
    SpecialTokens tokens = SpecialTokens.read(json, generation, config.vocabSize());
    try {
      find();
      config = untied(config);
      MappedWeights weights = bind(config);
      return new ModelFiles(directory, config, tokens, weights, Optional.empty(), warnings);
    } catch (IOException | RuntimeException e) {
      files.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private void find() throws IOException {
    Path index = directory.resolve(INDEX);
    Path single = directory.resolve(WEIGHTS);
    if (Files.isRegularFile(single)) {
      addAll(single);
      if (Files.exists(index)) {
        warnings.add("%s is read, and %s beside it is not".formatted(WEIGHTS, INDEX));
      }
      return;
    }
    if (!Files.exists(index)) {
      throw new ModelFileException(
          directory,
          "it holds neither " + WEIGHTS + " nor " + INDEX + "; other formats are not read");
    }
    ModelJson json = ModelJson.read(index);
    ModelJson map =
        json.object("weight_map").orElseThrow(() -> json.wrong("weight_map", "an object"));
    var shards = new TreeSet<String>();
    for (var entry : map.node().properties()) {
      String shard = entry.getValue().asText();
      if (!shard.matches("[A-Za-z0-9._-]{1,200}\\.safetensors")) {
        throw map.wrong(entry.getKey(), "the name of a .safetensors file beside the index");
      }
      shards.add(shard);
      if (shards.size() > MAX_SHARDS) {
        throw json.error("it names more than " + MAX_SHARDS + " files");
      }
    }
    for (String shard : shards) {
      addAll(directory.resolve(shard));
    }
    List<String> absent = new ArrayList<>();
    for (var entry : map.node().properties()) {
      Found tensor = found.get(entry.getKey());
      if (tensor == null) {
        absent.add(entry.getKey());
      } else if (!String.valueOf(tensor.file().file().path().getFileName())
          .equals(entry.getValue().asText())) {
        throw map.wrong(entry.getKey(), "the file that holds this tensor");
      }
    }
    if (!absent.isEmpty()) {
      warnings.add(
          "%s names %s, which no shard holds"
              .formatted(INDEX, some(absent.stream().sorted().toList())));
    }
  }

  private void addAll(Path path) throws IOException {
    if (!Files.isRegularFile(path)) {
      throw new ModelFileException(path, "there is no such file");
    }
    SafetensorsFile file = SafetensorsFile.open(path);
    files.add(file);
    for (SafetensorsFile.Entry entry : file.entries().values()) {
      if (found.put(entry.name(), new Found(file, entry)) != null) {
        throw new ModelFileException(path, "tensor " + entry.name() + " is in another shard too");
      }
    }
  }

  private MappedWeights bind(ModelConfig config) throws IOException {
    MappedWeights weights = new MappedWeights(files.stream().map(SafetensorsFile::file).toList());
    List<String> missing = new ArrayList<>();
    for (TensorSpec spec : ModelTensors.of(config)) {
      Found tensor = take(spec.name());
      if (tensor == null) {
        missing.add(spec.name());
        continue;
      }
      SafetensorsFile.Entry entry = tensor.entry();
      Path file = tensor.file().file().path();
      if (!entry.shape().equals(spec.shape().stream().map(Integer::longValue).toList())) {
        throw new ModelFileException(
            file,
            "tensor "
                + entry.name()
                + " has shape "
                + entry.shape()
                + ", but config.json calls for "
                + spec.shape());
      }
      TensorType type =
          TensorType.ofSafetensors(entry.type())
              .orElseThrow(
                  () ->
                      new ModelFileException(
                          file, "tensor " + entry.name() + " is of integers: " + entry.type()));
      add(weights, tensor, spec, type);
    }
    if (!missing.isEmpty()) {
      throw new ModelFileException(directory, "it has no tensor " + some(missing));
    }
    if (config.tieEmbeddings() || config.labels() > 0) {
      found.remove(ModelTensors.LM_HEAD);
    }
    List<String> left =
        found.keySet().stream().filter(n -> !BUFFER.matcher(n).matches()).sorted().toList();
    if (!left.isEmpty()) {
      warnings.add(
          "config.json has no place for the tensors %s, which are not read".formatted(some(left)));
    }
    return weights;
  }

  private static void add(MappedWeights weights, Found tensor, TensorSpec spec, TensorType type) {
    weights.add(
        new WeightSource.Weight(spec, type),
        new MappedWeights.Place(tensor.file().file(), tensor.entry().offset(), 0, 0));
  }

  /** A head that is another matrix than the embedding is not tied to it, whatever the file says. */
  private ModelConfig untied(ModelConfig config) throws IOException {
    String embedding = config.architecture().names().embedding() + ".weight";
    Found head = found.get(ModelTensors.LM_HEAD);
    Found tied =
        found.containsKey(embedding) ? found.get(embedding) : found.get(unprefixed(embedding));
    boolean own =
        config.tieEmbeddings()
            && config.labels() == 0
            && head != null
            && tied != null
            && !equal(head, tied);
    if (!own) {
      return config;
    }
    warnings.add(
        "%s is another matrix than %s, so that it counts, though config.json ties them: set tie_word_embeddings to false"
            .formatted(ModelTensors.LM_HEAD, embedding));
    return config.toBuilder().tieEmbeddings(false).build();
  }

  /** Whether two tensors are one matrix. */
  private static boolean equal(Found one, Found other) throws IOException {
    List<Long> shape = one.entry().shape();
    TensorType type = TensorType.ofSafetensors(one.entry().type()).orElse(null);
    TensorType otherType = TensorType.ofSafetensors(other.entry().type()).orElse(null);
    if (!shape.equals(other.entry().shape()) || type == null || otherType == null) {
      return false;
    }
    long values = shape.stream().mapToLong(Long::longValue).reduce(1, Math::multiplyExact);
    for (long at = 0; at < values; at += COMPARED) {
      int count = (int) Math.min(COMPARED, values - at);
      ByteBuffer ours = bytes(one, type, at, count);
      ByteBuffer theirs = bytes(other, otherType, at, count);
      boolean same =
          type == otherType
              ? ours.equals(theirs)
              : decoded(type, ours, count).equals(decoded(otherType, theirs, count));
      if (!same) {
        return false;
      }
    }
    return true;
  }

  private static ByteBuffer bytes(Found tensor, TensorType type, long at, int count)
      throws IOException {
    long offset = tensor.entry().offset() + type.bytes(at);
    return tensor.file().file().slice(offset, Math.toIntExact(type.bytes(count)));
  }

  private static FloatBuffer decoded(TensorType type, ByteBuffer bytes, int count) {
    FloatBuffer values = FloatBuffer.allocate(count);
    BlockCodec.decode(type, bytes, 0, values);
    return values.rewind();
  }

  /**
   * Base models are sometimes saved without the prefix that their names have inside a whole one.
   */
  private Found take(String name) {
    Found tensor = found.remove(name);
    return tensor != null ? tensor : found.remove(unprefixed(name));
  }

  private static String unprefixed(String name) {
    return name.replaceFirst("^(model|transformer)\\.", "");
  }

  static String some(List<String> names) {
    return names.size() <= 3
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 3)) + " and " + (names.size() - 3) + " more";
  }
}
