package dev.distillery.core.run;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * Whether native code computes in this JVM on threads of its own. The JVM must not exit under it:
 * the library is taken apart while it works, and the process crashes.
 */
public final class NativeWork {
  private static final AtomicInteger RUNNING = new AtomicInteger();

  private NativeWork() {}

  /** Native code begins, until the result is closed. */
  public static Running begin() {
    RUNNING.incrementAndGet();
    return RUNNING::decrementAndGet;
  }

  public static boolean atWork() {
    return RUNNING.get() > 0;
  }

  /** A piece of native work. */
  @FunctionalInterface
  public interface Running extends AutoCloseable {
    @Override
    void close();
  }
}
