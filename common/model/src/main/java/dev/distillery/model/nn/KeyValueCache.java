package dev.distillery.model.nn;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Keys and values of the tokens seen so far, for a fixed number of sequences of bounded length. */
public final class KeyValueCache implements AutoCloseable {
  /** Of each layer, [sequences * capacity, kvWidth]. */
  private final List<Tensor> keys = new ArrayList<>();

  /** As {@link #keys}. */
  private final List<Tensor> values = new ArrayList<>();

  private final Kernels kernels;
  private final int capacity;
  private final int[] lengths;

  KeyValueCache(Kernels kernels, int layers, int kvWidth, int sequences, int capacity) {
    this.kernels = kernels;
    this.capacity = capacity;
    this.lengths = new int[sequences];
    for (int i = 0; i < layers; i++) {
      keys.add(kernels.tensor(sequences * capacity, kvWidth));
      values.add(kernels.tensor(sequences * capacity, kvWidth));
    }
  }

  /** Sequences that fit. */
  public int sequences() {
    return lengths.length;
  }

  /** Tokens that fit in each sequence. */
  public int capacity() {
    return capacity;
  }

  /** Tokens seen of a sequence. */
  public int length(int sequence) {
    return lengths[sequence];
  }

  /** Forgets the tokens of a sequence, so that another can take its place. */
  public void clear(int sequence) {
    lengths[sequence] = 0;
  }

  /** Forgets the tokens of a sequence behind the first so many. */
  public void cut(int sequence, int length) {
    lengths[sequence] = Math.min(lengths[sequence], length);
  }

  /** Gives a sequence what another has seen; what both begin with need not be told again. */
  public void copy(int from, int into, int common) {
    copy(from, into, common, lengths[from]);
  }

  /** The same, of no more than the first {@code until} tokens. */
  public void copy(int from, int into, int common, int until) {
    int count = until - common;
    if (count > 0) {
      for (List<Tensor> each : List.of(keys, values)) {
        for (Tensor layer : each) {
          kernels.copy(layer.rows(row(into, common), count), layer.rows(row(from, common), count));
        }
      }
    }
    lengths[into] = until;
  }

  /** Forgets everything. */
  public void clear() {
    Arrays.fill(lengths, 0);
  }

  Tensor keys(int layer) {
    return keys.get(layer);
  }

  Tensor values(int layer) {
    return values.get(layer);
  }

  int row(int sequence, int position) {
    return sequence * capacity + position;
  }

  void append(int sequence, int tokens) {
    lengths[sequence] += tokens;
  }

  @Override
  public void close() {
    keys.forEach(t -> t.memory().close());
    values.forEach(t -> t.memory().close());
  }
}
