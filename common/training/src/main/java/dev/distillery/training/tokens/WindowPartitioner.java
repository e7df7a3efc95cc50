package dev.distillery.training.tokens;

import org.apache.spark.Partitioner;

/** Keeps the rows of a window together, and windows in order. */
final class WindowPartitioner extends Partitioner {
  private static final long serialVersionUID = 1L;

  private final PackRows pack;
  private final int partitions;

  WindowPartitioner(PackRows pack, int partitions) {
    this.pack = pack;
    this.partitions = partitions;
  }

  @Override
  public int numPartitions() {
    return partitions;
  }

  @Override
  public int getPartition(Object position) {
    long window = pack.window((Long) position);
    return (int) (window * partitions / pack.windowStarts().length);
  }
}
