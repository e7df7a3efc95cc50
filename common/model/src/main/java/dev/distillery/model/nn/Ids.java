package dev.distillery.model.nn;

/**
 * Row numbers, such as token ids, where the kernels that made them read them: made once and used by
 * several operations, so that a device need not be sent them again.
 */
public interface Ids extends AutoCloseable {
  /** How many there are. */
  int size();

  /** Frees them; nothing where they are the host's. */
  @Override
  void close();
}
