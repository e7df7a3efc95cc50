package dev.distillery.model.nn;

import java.util.HashMap;
import java.util.Map;

/**
 * Named scratch matrices that are allocated once and reused, grown when a batch is larger than any
 * before. What a name held is undefined after the name is asked for again.
 */
public final class Workspace implements AutoCloseable {
  private final Kernels kernels;
  private final Map<String, Memory> memories = new HashMap<>();

  /** An empty workspace. */
  public Workspace(Kernels kernels) {
    this.kernels = kernels;
  }

  /** A matrix of undefined values. */
  public Tensor get(String name, int rows, int columns) {
    long size = (long) rows * columns;
    Memory memory = memories.get(name);
    if (memory == null || memory.size() < size) {
      if (memory != null) {
        memory.close();
      }
      memory = kernels.allocate(size);
      memories.put(name, memory);
    }
    return new Tensor(memory, 0, rows, columns);
  }

  @Override
  public void close() {
    memories.values().forEach(Memory::close);
    memories.clear();
  }
}
