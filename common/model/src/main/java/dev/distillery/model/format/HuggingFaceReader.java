package dev.distillery.model.format;

import java.io.IOException;
import java.nio.ByteBuffer;
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
 * model.safetensors or its shards with model.safetensors.index.json. The tensors must be those that
 * the configuration calls for: none missing, none of another shape, none left over.
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

  /** A tensor and the file it is in. */
  private record Found(SafetensorsFile file, SafetensorsFile.Entry entry) {}

  private HuggingFaceReader() {}

  static ModelFiles open(Path directory) throws IOException {
    ModelJson json = ModelJson.read(directory.resolve(CONFIG));
    ModelConfig config = HuggingFaceConfig.read(json);
    Path generationFile = directory.resolve(GENERATION);
    Optional<ModelJson> generation =
        Files.exists(generationFile)
            ? Optional.of(ModelJson.read(generationFile))
            : Optional.empty();
    SpecialTokens tokens = SpecialTokens.read(json, generation, config.vocabSize());
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      MappedWeights weights = bind(directory, config, find(directory, files), files);
      return new ModelFiles(directory, config, tokens, weights, Optional.empty());
    } catch (IOException | RuntimeException e) {
      files.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  private static Map<String, Found> find(Path directory, List<SafetensorsFile> files)
      throws IOException {
    Map<String, Found> found = new HashMap<>();
    Path index = directory.resolve(INDEX);
    if (!Files.exists(index)) {
      Path single = directory.resolve(WEIGHTS);
      if (!Files.isRegularFile(single)) {
        throw new ModelFileException(
            directory,
            "it holds neither " + WEIGHTS + " nor " + INDEX + "; other formats are not read");
      }
      addAll(single, files, found);
      return found;
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
      addAll(directory.resolve(shard), files, found);
    }
    for (var entry : map.node().properties()) {
      Found tensor = found.get(entry.getKey());
      if (tensor == null
          || !String.valueOf(tensor.file().file().path().getFileName())
              .equals(entry.getValue().asText())) {
        throw map.wrong(entry.getKey(), "the file that holds this tensor");
      }
    }
    return found;
  }

  private static void addAll(Path path, List<SafetensorsFile> files, Map<String, Found> found)
      throws IOException {
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

  private static MappedWeights bind(
      Path directory, ModelConfig config, Map<String, Found> found, List<SafetensorsFile> files)
      throws IOException {
    MappedWeights weights = new MappedWeights(files.stream().map(SafetensorsFile::file).toList());
    List<String> missing = new ArrayList<>();
    for (TensorSpec spec : ModelTensors.of(config)) {
      Found tensor = take(found, spec.name());
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
      weights.add(
          new WeightSource.Weight(spec, type),
          new MappedWeights.Place(tensor.file().file(), entry.offset(), 0, 0));
    }
    if (!missing.isEmpty()) {
      throw new ModelFileException(directory, "it has no tensor " + some(missing));
    }
    if (config.tieEmbeddings() || config.labels() > 0) {
      Found head = found.remove(ModelTensors.LM_HEAD);
      String embedding = config.architecture().names().embedding() + ".weight";
      if (head != null && config.tieEmbeddings() && !equal(head, weights, embedding)) {
        throw new ModelFileException(
            head.file().file().path(),
            "lm_head.weight is another matrix than "
                + embedding
                + ", which config.json ties it to: set tie_word_embeddings to false");
      }
    }
    List<String> left =
        found.keySet().stream().filter(n -> !BUFFER.matcher(n).matches()).sorted().toList();
    if (!left.isEmpty()) {
      throw new ModelFileException(
          directory, "config.json has no place for its tensor " + some(left));
    }
    return weights;
  }

  /** Whether a head holds the bytes of the embedding. Of other types they are not compared. */
  private static boolean equal(Found head, MappedWeights weights, String embedding)
      throws IOException {
    WeightSource.Weight weight = weights.weights().get(embedding);
    SafetensorsFile.Entry entry = head.entry();
    TensorType type = TensorType.ofSafetensors(entry.type()).orElse(null);
    if (weight == null || weight.type() != type) {
      return true;
    }
    int rows = weight.spec().rows();
    long rowBytes = type.bytes(weight.spec().columns());
    if (!entry.shape().equals(List.of((long) rows, (long) weight.spec().columns()))) {
      return false;
    }
    int step = (int) Math.max(1, (1 << 24) / rowBytes);
    for (int row = 0; row < rows; row += step) {
      int count = Math.min(step, rows - row);
      ByteBuffer ours = weights.rows(embedding, row, count);
      long from = entry.offset() + row * rowBytes;
      if (!ours.equals(head.file().file().slice(from, (int) (count * rowBytes)))) {
        return false;
      }
    }
    return true;
  }

  /**
   * Base models are sometimes saved without the prefix that their names have inside a whole one.
   */
  private static Found take(Map<String, Found> found, String name) {
    Found tensor = found.remove(name);
    return tensor != null ? tensor : found.remove(name.replaceFirst("^(model|transformer)\\.", ""));
  }

  static String some(List<String> names) {
    return names.size() <= 3
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 3)) + " and " + (names.size() - 3) + " more";
  }
}
