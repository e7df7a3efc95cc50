package dev.distillery.training.run;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.util.ShutdownHookManager;

/**
 * Whether this process has been told to end. A SIGTERM then waits, before Spark's own hook ends the
 * session, until the run has saved its checkpoint.
 */
final class StopSignal implements AutoCloseable {
  /** Above Spark's hook, whose priority is that of the file systems' (10) and 30 more. */
  private static final int PRIORITY = 100;

  private static final Duration GRACE = Duration.ofMinutes(10);

  private final CountDownLatch ended = new CountDownLatch(1);
  private final Runnable hook = this::request;
  private volatile boolean requested;

  StopSignal() {
    ShutdownHookManager.get().addShutdownHook(hook, PRIORITY, GRACE.toSeconds(), TimeUnit.SECONDS);
  }

  private void request() {
    requested = true;
    try {
      var unused = ended.await(GRACE.toSeconds(), TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  boolean requested() {
    return requested;
  }

  @Override
  public void close() {
    ended.countDown();
    if (!requested && !ShutdownHookManager.get().isShutdownInProgress()) {
      ShutdownHookManager.get().removeShutdownHook(hook);
    }
  }
}
