package dev.distillery.model.format;

import dev.distillery.core.format.ModelFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Tensors in memory, as float32: adapters, and small models. */
public final class ArrayWeights implements WeightSource {
  private final SortedMap<String, Weight> weights = new TreeMap<>();
  private final Map<String, float[]> values = new HashMap<>();

  /**
   * Adds a tensor; the array is not copied.
   *
   * @throws IllegalArgumentException if there are more or fewer values than the shape has
   */
  public void put(TensorSpec spec, float[] tensor) {
    if (spec.elements() != tensor.length) {
      throw new IllegalArgumentException(
          "Tensor "
              + spec.name()
              + " "
              + spec.shape()
              + " cannot have "
              + tensor.length
              + " values");
    }
    weights.put(spec.name(), new Weight(spec, TensorType.F32));
    values.put(spec.name(), tensor);
  }

  @Override
  public SortedMap<String, Weight> weights() {
    return Collections.unmodifiableSortedMap(weights);
  }

  @Override
  public void read(String name, long start, FloatBuffer into) throws IOException {
    into.put(array(name), Math.toIntExact(start), into.remaining());
  }

  @Override
  public ByteBuffer rows(String name, int firstRow, int count) throws IOException {
    int columns = spec(name).columns();
    ByteBuffer bytes =
        ByteBuffer.allocate(Math.multiplyExact(4 * columns, count)).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(array(name), firstRow * columns, count * columns);
    return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  private TensorSpec spec(String name) throws ModelFileException {
    Weight weight = weights.get(name);
    if (weight == null) {
      throw new ModelFileException("Tensor " + name + " is not in the model");
    }
    return weight.spec();
  }

  private float[] array(String name) throws ModelFileException {
    float[] array = values.get(name);
    if (array == null) {
      throw new ModelFileException("Tensor " + name + " is not in the model");
    }
    return array;
  }

  /** Nothing to let go of. */
  @Override
  public void close() {}
}
