package dev.distillery.model.nn;

/**
 * Ids in the host's memory.
 *
 * @param values not copied
 */
@SuppressWarnings("ArrayRecordComponent") // Built once and only read.
public record HostIds(int[] values) implements Ids {
  /** The values of what a set that computes on the host made. */
  public static int[] of(Ids ids) {
    return ((HostIds) ids).values;
  }

  @Override
  public int size() {
    return values.length;
  }

  @Override
  public void close() {}
}
