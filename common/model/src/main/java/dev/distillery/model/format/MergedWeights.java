package dev.distillery.model.format;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A model with a LoRA adapter merged into it as it is read: W + s B A, in float32. Heads that the
 * adapter brings whole take the place of the model's.
 */
public final class MergedWeights implements WeightSource {
  private final WeightSource base;
  private final int rank;
  private final float scale;
  private final SortedMap<String, Weight> weights = new TreeMap<>();

  /** A [rank, in] and B [out, rank], by the matrix that they are added to. */
  private final Map<String, float[]> factorsA = new HashMap<>();

  private final Map<String, float[]> factorsB = new HashMap<>();
  private final Map<String, float[]> replaced = new HashMap<>();

  private MergedWeights(ModelConfig config, WeightSource base, AdapterFiles.Adapter adapter)
      throws IOException {
    this.base = base;
    this.rank = adapter.config().rank();
    this.scale = (float) adapter.config().scale();
    if (config.architecture().shape().inputsFirst()) {
      throw new ModelFileException(
          "Adapters cannot be merged into GPT, whose matrices are [in, out]");
    }
    base.weights().forEach((name, w) -> weights.put(name, new Weight(w.spec(), TensorType.F32)));
    WeightSource tensors = adapter.weights();
    for (String name : tensors.weights().keySet()) {
      if (name.endsWith(".lora_A.weight")) {
        addFactors(name.substring(0, name.length() - ".lora_A.weight".length()), tensors);
      } else if (!name.endsWith(".lora_B.weight")) {
        Weight own = tensors.weights().get(name);
        if (own != null && name.equals(ModelTensors.SCORE) && config.labels() > 0) {
          // A language model has none before an adapter brings it.
          weights.putIfAbsent(name, new Weight(own.spec(), TensorType.F32));
        }
        Weight target = weights.get(name);
        if (target == null || own == null || !target.spec().equals(own.spec())) {
          throw new ModelFileException("Adapter's tensor " + name + " does not fit the model");
        }
        replaced.put(name, tensors.read(name));
      }
    }
    for (String name : tensors.weights().keySet()) {
      if (name.endsWith(".lora_B.weight")
          && !factorsA.containsKey(name.replace(".lora_B.weight", ".weight"))) {
        throw new ModelFileException("Adapter's tensor " + name + " has no lora_A beside it");
      }
    }
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

  private void addFactors(String module, WeightSource tensors) throws IOException {
    Weight target = weights.get(module + ".weight");
    Weight a = tensors.weights().get(module + ".lora_A.weight");
    Weight b = tensors.weights().get(module + ".lora_B.weight");
    boolean fits =
        target != null
            && a != null
            && b != null
            && a.spec().columns() == target.spec().columns()
            && b.spec().rows() == target.spec().rows();
    if (!fits) {
      throw new ModelFileException(
          "Adapter's tensors lora_A and lora_B of " + module + " do not fit the model");
    }
    factorsA.put(module + ".weight", tensors.read(module + ".lora_A.weight"));
    factorsB.put(module + ".weight", tensors.read(module + ".lora_B.weight"));
  }

  @Override
  public SortedMap<String, Weight> weights() {
    return Collections.unmodifiableSortedMap(weights);
  }

  @Override
  public void read(String name, long start, FloatBuffer into) throws IOException {
    float[] whole = replaced.get(name);
    if (whole != null) {
      into.put(whole, Math.toIntExact(start), into.remaining());
      return;
    }
    FloatBuffer target = into.slice();
    base.read(name, start, into);
    float[] a = factorsA.get(name);
    float[] b = factorsB.get(name);
    Weight weight = weights.get(name);
    if (a == null || b == null || weight == null) {
      return;
    }
    int columns = weight.spec().columns();
    for (int i = 0; i < target.limit(); i++) {
      int row = (int) ((start + i) / columns);
      int column = (int) ((start + i) % columns);
      float sum = 0;
      for (int r = 0; r < rank; r++) {
        sum += b[row * rank + r] * a[r * columns + column];
      }
      target.put(i, target.get(i) + scale * sum);
    }
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
