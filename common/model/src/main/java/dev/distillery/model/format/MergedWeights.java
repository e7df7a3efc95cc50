package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A model with a LoRA adapter merged into it as it is read: W + s B A, in float32, with each
 * module's own s; of an embedding W + s (B A)^T. Modules that the adapter brings whole, and rows of
 * single tokens, take the place of the model's. Source: PEFT, {@code LoraLayer.get_delta_weight}
 * and {@code TrainableTokensLayer.merge}.
 */
public final class MergedWeights implements WeightSource {
  /**
   * Two factors.
   *
   * @param a [rank, in]; of an embedding [rank, vocab]
   * @param b [out, rank]; of an embedding [dim, rank]
   * @param embedding whether their product is added turned over
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  private record Factors(float[] a, float[] b, int rank, float scale, boolean embedding) {}

  private static final String A = ".lora_A.weight";
  private static final String B = ".lora_B.weight";
  private static final String EMBEDDING_A = ".lora_embedding_A";
  private static final String EMBEDDING_B = ".lora_embedding_B";

  private final WeightSource base;
  private final SortedMap<String, Weight> weights = new TreeMap<>();
  private final Map<String, Factors> factors = new HashMap<>();
  private final Map<String, float[]> replaced = new HashMap<>();

  /** Rows that take the place of a tensor's own, by their number. */
  private final Map<String, SortedMap<Integer, float[]>> rows = new HashMap<>();

  private MergedWeights(ModelConfig config, WeightSource base, AdapterFiles.Adapter adapter)
      throws IOException {
    this.base = base;
    if (config.architecture().shape().inputsFirst()) {
      throw new ModelFileException(
          "Adapters cannot be merged into GPT, whose matrices are [in, out]");
    }
    base.weights().forEach((name, w) -> weights.put(name, new Weight(w.spec(), TensorType.F32)));
    checkSaved(config, adapter);
    checkTokens(config, adapter);
    WeightSource tensors = adapter.weights();
    for (String name : tensors.weights().keySet()) {
      if (name.endsWith(A)) {
        addFactors(beginning(name, A), A, B, adapter);
      } else if (name.endsWith(EMBEDDING_A)) {
        if (config.tieEmbeddings() && config.labels() == 0) {
          throw new ModelFileException(
              "Adapter's tensor %s: the model's head is its embedding, and would be changed with it: merge it by PEFT, into a model that is not tied"
                  .formatted(name));
        }
        addFactors(beginning(name, EMBEDDING_A), EMBEDDING_A, EMBEDDING_B, adapter);
      } else if (name.endsWith(B)) {
        checkPartner(name, beginning(name, B) + A, tensors);
      } else if (name.endsWith(EMBEDDING_B)) {
        checkPartner(name, beginning(name, EMBEDDING_B) + EMBEDDING_A, tensors);
      } else if (!AdapterTokens.module(name).isEmpty()) {
        replaceRows(name, adapter);
      } else {
        replace(name, config, tensors);
      }
    }
    for (String name : rows.keySet()) {
      if (factors.containsKey(name) || replaced.containsKey(name)) {
        throw new ModelFileException(
            "The adapter has rows of single tokens of %s, and changes all of it: merge it by PEFT"
                .formatted(name));
      }
    }
  }

  /** Rows are there, or they are those of the embedding, which is the head. */
  private static void checkTokens(ModelConfig config, AdapterFiles.Adapter adapter)
      throws ModelFileException {
    String embedding = config.architecture().names().embedding();
    for (var entry : adapter.config().tokens().entrySet()) {
      boolean tied =
          config.tieEmbeddings()
              && config.labels() == 0
              && ModelTensors.LM_HEAD.equals(entry.getKey() + ".weight")
              && entry.getValue().equals(adapter.config().tokens().get(embedding));
      if (!tied
          && !adapter.weights().weights().containsKey(entry.getKey() + AdapterFiles.TOKEN_ROWS)) {
        throw new ModelFileException(
            "The adapter's trainable_token_indices names %s, but it has no tensor %s%s"
                .formatted(entry.getKey(), entry.getKey(), AdapterFiles.TOKEN_ROWS));
      }
    }
  }

  private void replaceRows(String name, AdapterFiles.Adapter adapter) throws IOException {
    String module = AdapterTokens.module(name);
    Weight own = Objects.requireNonNull(adapter.weights().weights().get(name));
    Weight target = weights.get(module + ".weight");
    if (target == null) {
      throw new ModelFileException(
          "Adapter's tensor %s does not fit the model, which has no %s.weight%s"
              .formatted(name, module, headTied(module + ".weight")));
    }
    List<Integer> ids = Objects.requireNonNull(adapter.config().tokens().get(module));
    int width = target.spec().columns();
    if (target.spec().shape().size() != 2
        || own.spec().columns() != width
        || Collections.max(ids) >= target.spec().rows()) {
      throw new ModelFileException(
          "Adapter's tensor %s of %s, for the tokens %s, does not fit the model's %s"
              .formatted(name, own.spec().shape(), ids, target.spec().shape()));
    }
    float[] values = adapter.weights().read(name);
    SortedMap<Integer, float[]> some = new TreeMap<>();
    for (int i = 0; i < ids.size(); i++) {
      some.put(ids.get(i), Arrays.copyOfRange(values, i * width, (i + 1) * width));
    }
    rows.put(module + ".weight", some);
  }

  private static String beginning(String name, String end) {
    return name.substring(0, name.length() - end.length());
  }

  private static void checkPartner(String name, String partner, WeightSource tensors)
      throws ModelFileException {
    if (!tensors.weights().containsKey(partner)) {
      throw new ModelFileException("Adapter's tensor " + name + " has no lora_A beside it");
    }
  }

  /** All that PEFT would take from the file must be in it: it matches the ends of names. */
  private void checkSaved(ModelConfig config, AdapterFiles.Adapter adapter)
      throws ModelFileException {
    String embedding = config.architecture().names().embedding();
    for (String saved : adapter.config().savedModules()) {
      for (String name : weights.keySet()) {
        if (!isIn(name, saved)) {
          continue;
        }
        if (!adapter.weights().weights().containsKey(name)) {
          throw new ModelFileException(
              "The adapter's modules_to_save names %s, but it has no tensor %s"
                  .formatted(saved, name));
        }
        if (config.tieEmbeddings() && config.labels() == 0 && name.startsWith(embedding + ".")) {
          throw new ModelFileException(
              "The adapter's modules_to_save names %s, and the model's head is its embedding, which PEFT leaves as it was: merge it by PEFT, into a model that is not tied"
                  .formatted(saved));
        }
      }
    }
  }

  /** Whether a tensor's module, or one around it, has a name that ends so. */
  private static boolean isIn(String tensor, String end) {
    for (int dot = tensor.lastIndexOf('.'); dot > 0; dot = tensor.lastIndexOf('.', dot - 1)) {
      if (tensor.substring(0, dot).endsWith(end)) {
        return true;
      }
    }
    return false;
  }

  private void replace(String name, ModelConfig config, WeightSource tensors) throws IOException {
    Weight own = Objects.requireNonNull(tensors.weights().get(name));
    if (name.equals(ModelTensors.SCORE) && config.labels() > 0) {
      // A language model has none before an adapter brings it.
      weights.putIfAbsent(name, new Weight(own.spec(), TensorType.F32));
    }
    Weight target = weights.get(name);
    if (target == null) {
      throw new ModelFileException(
          "Adapter's tensor %s does not fit the model, which has none of that name%s"
              .formatted(name, headTied(name)));
    }
    if (!target.spec().equals(own.spec())) {
      throw new ModelFileException(
          "Adapter's tensor %s does not fit the model: it is %s, and the model's is %s%s"
              .formatted(
                  name,
                  own.spec().shape(),
                  target.spec().shape(),
                  own.spec().shape().size() == 2 && own.spec().columns() == target.spec().columns()
                      ? ". It was trained with another vocabulary: give the base that size first"
                      : ""));
    }
    replaced.put(name, tensors.read(name));
  }

  /** What to do where there is no head to change. */
  private static String headTied(String name) {
    return name.equals(ModelTensors.LM_HEAD)
        ? ": its head is its embedding; merge it by PEFT, into a model that is not tied"
        : "";
  }

  /**
   * The model with the adapter.
   *
   * @param adapter is read whole here, and may be closed afterwards
   * @throws ModelFileException if one of its tensors does not fit the model
   */
  public static MergedWeights of(
      ModelConfig config, WeightSource base, AdapterFiles.Adapter adapter) throws IOException {
    return new MergedWeights(config, base, adapter);
  }

  private void addFactors(String module, String endA, String endB, AdapterFiles.Adapter adapter)
      throws IOException {
    WeightSource tensors = adapter.weights();
    Weight target = weights.get(module + ".weight");
    Weight a = tensors.weights().get(module + endA);
    Weight b = tensors.weights().get(module + endB);
    boolean embedding = endA.equals(EMBEDDING_A);
    boolean fits =
        target != null
            && target.spec().shape().size() == 2
            && a != null
            && b != null
            && a.spec().columns() == (embedding ? target.spec().rows() : target.spec().columns())
            && b.spec().rows() == (embedding ? target.spec().columns() : target.spec().rows());
    if (!fits) {
      throw new ModelFileException(
          "Adapter's tensors lora_A and lora_B of %s do not fit the model%s"
              .formatted(module, target == null ? headTied(module + ".weight") : ""));
    }
    factors.put(
        module + ".weight",
        new Factors(
            tensors.read(module + endA),
            tensors.read(module + endB),
            adapter.config().rank(module),
            (float) adapter.config().scale(module),
            embedding));
  }

  @Override
  public SortedMap<String, Weight> weights() {
    return Collections.unmodifiableSortedMap(weights);
  }

  @Override
  public void read(String name, long start, FloatBuffer into) throws IOException {
    FloatBuffer target = into.slice();
    float[] whole = replaced.get(name);
    if (whole == null) {
      base.read(name, start, into);
    } else {
      into.put(whole, Math.toIntExact(start), into.remaining());
    }
    Weight weight = weights.get(name);
    if (weight == null) {
      return;
    }
    int width = weight.spec().columns();
    rows.getOrDefault(name, Collections.emptySortedMap())
        .subMap((int) (start / width), (int) ((start + target.limit() - 1) / width) + 1)
        .forEach((row, values) -> put(target, (long) row * width - start, values));
    Factors product = factors.get(name);
    if (product == null) {
      return;
    }
    int rank = product.rank();
    int rows = weight.spec().rows();
    int columns = weight.spec().columns();
    for (int i = 0; i < target.limit(); i++) {
      int row = (int) ((start + i) / columns);
      int column = (int) ((start + i) % columns);
      int out = product.embedding() ? column : row;
      int in = product.embedding() ? row : column;
      int inputs = product.embedding() ? rows : columns;
      float sum = 0;
      for (int r = 0; r < rank; r++) {
        sum += product.b()[out * rank + r] * product.a()[r * inputs + in];
      }
      target.put(i, target.get(i) + product.scale() * sum);
    }
  }

  /** Values at a place of a buffer that may begin before it or end behind it. */
  private static void put(FloatBuffer target, long at, float[] values) {
    int from = (int) Math.max(0, -at);
    int to = (int) Math.min(values.length, target.limit() - at);
    target.put((int) (at + from), values, from, to - from);
  }

  @Override
  public ByteBuffer rows(String name, int firstRow, int count) throws IOException {
    Weight weight = weights.get(name);
    if (weight == null) {
      throw new ModelFileException("Tensor " + name + " is not in the model");
    }
    int columns = weight.spec().columns();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(4 * columns, count)).order(ByteOrder.LITTLE_ENDIAN);
    read(name, (long) firstRow * columns, bytes.asFloatBuffer());
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Closes the model. */
  @Override
  public void close() throws IOException {
    base.close();
  }
}
