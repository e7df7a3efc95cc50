package dev.distillery.model.nn;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The frozen matrices of a student that stay in the form of their file, by slot: the parts of a
 * slot below each other. What multiplies with them widens a tile at a time, so that the float32
 * form of a whole matrix never lies in memory.
 */
public final class StoredWeights implements AutoCloseable {
  /** Float32 values of a tile: small enough to stay in a processor's cache. */
  private static final int TILE_VALUES = 1 << 19;

  private final Map<String, List<Stored>> bySlot = new HashMap<>();

  /** None. */
  public static StoredWeights none() {
    return new StoredWeights();
  }

  StoredWeights() {}

  void put(String slot, List<Stored> parts) {
    bySlot.put(slot, List.copyOf(parts));
  }

  /** The parts of a slot, if it is here. */
  public Optional<List<Stored>> slot(String name) {
    return Optional.ofNullable(bySlot.get(name));
  }

  /** Bytes of all of them. */
  public long bytes() {
    return bySlot.values().stream().flatMap(List::stream).mapToLong(Stored::bytes).sum();
  }

  /** out = table[ids[i]], as {@link Kernels#gather}. */
  static void gather(Kernels kernels, Tensor out, List<Stored> table, int[] ids) {
    Stored only = table.get(0);
    for (int i = 0; i < ids.length; i++) {
      kernels.widen(out.rows(i, 1), only, ids[i]);
    }
  }

  /**
   * out = x op(W) + beta out, where op transposes if asked: with W [out, in] and op the
   * transposition what a layer computes, without it the gradient of its input.
   *
   * @param parts of W, below each other
   */
  static void multiply(
      Kernels kernels,
      Workspace workspace,
      Tensor out,
      Tensor x,
      List<Stored> parts,
      boolean transpose,
      double beta) {
    int column = 0;
    for (Stored part : parts) {
      int step = Math.max(16, TILE_VALUES / part.columns() / 16 * 16);
      for (int row = 0; row < part.rows(); row += step) {
        int count = Math.min(step, part.rows() - row);
        Tensor tile = workspace.get("stored.tile", count, part.columns());
        kernels.widen(tile, part, row);
        if (transpose) {
          kernels.matmul(out.columns(column, count), x, false, tile, true, 1, beta);
        } else {
          double kept = column == 0 ? beta : 1;
          kernels.matmul(out, x.columns(column, count), false, tile, false, 1, kept);
        }
        column += count;
      }
    }
  }

  @Override
  public void close() {
    bySlot.values().forEach(parts -> parts.forEach(Stored::close));
    bySlot.clear();
  }
}
