package dev.distillery.model.nn;

/**
 * A run of values that a {@link Kernels} allocated and computes on. Not safe for use by two threads
 * at a time. It must be closed: it lies outside the Java heap.
 */
public interface Memory extends AutoCloseable {
  /** The most values that one memory holds: 1 GiB of float32, so that byte offsets stay ints. */
  long MAX_VALUES = 1L << 28;

  /** Number of values. */
  long size();

  /** Copies values {@code [at, at + count)} into {@code into}, from index {@code start}. */
  void read(long at, float[] into, int start, int count);

  /** As {@link #read(long, float[], int, int)}, without rounding what is kept in double. */
  default void read(long at, double[] into, int start, int count) {
    float[] narrow = new float[count];
    read(at, narrow, 0, count);
    for (int i = 0; i < count; i++) {
      into[start + i] = narrow[i];
    }
  }

  /** Sets values {@code [at, at + count)} from {@code from}, from index {@code start}. */
  void write(long at, float[] from, int start, int count);

  @Override
  void close();
}
