package dev.distillery.model.nn;

import java.util.Arrays;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.indexing.NDArrayIndex;

/** A one-dimensional ND4J array of float32 or float64. */
final class NdMemory implements Memory {
  private final INDArray values;

  NdMemory(DataType type, long size) {
    values = Nd4j.zeros(type, size);
  }

  /** The matrix that a tensor of this memory is, without a copy. */
  static INDArray view(Tensor tensor) {
    INDArray values = ((NdMemory) tensor.memory()).values;
    return Nd4j.create(
        values.data(),
        new long[] {tensor.rows(), tensor.columns()},
        new long[] {tensor.stride(), 1},
        tensor.offset(),
        'c');
  }

  double get(long at) {
    return values.getDouble(at);
  }

  void set(long at, double value) {
    values.putScalar(at, value);
  }

  @Override
  public long size() {
    return values.length();
  }

  @Override
  public void read(long at, float[] into, int start, int count) {
    float[] run = values.get(NDArrayIndex.interval(at, at + count)).dup('c').toFloatVector();
    System.arraycopy(run, 0, into, start, count);
  }

  @Override
  public void read(long at, double[] into, int start, int count) {
    double[] run = values.get(NDArrayIndex.interval(at, at + count)).dup('c').toDoubleVector();
    System.arraycopy(run, 0, into, start, count);
  }

  @Override
  public void write(long at, float[] from, int start, int count) {
    INDArray run = Nd4j.createFromArray(Arrays.copyOfRange(from, start, start + count));
    values.get(NDArrayIndex.interval(at, at + count)).assign(run);
    run.close();
  }

  @Override
  public void close() {
    values.close();
  }
}
