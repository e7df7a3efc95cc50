package dev.distillery.model.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * A few threads that run the parts of one loop at a time, the caller among them. Between loops they
 * spin for some microseconds before they sleep, since a decoder's loops follow each other closely.
 * How a loop is cut never depends on the number of threads where that could change a result.
 */
final class Workers implements AutoCloseable {
  private static final int SPINS = 2_000;
  private static final long WAIT_NANOS = 20_000;

  /** A part of a loop. */
  interface Task {
    void run(int task);
  }

  /** A run of indices. */
  interface Range {
    void run(int from, int to);
  }

  private final Thread[] threads;
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicInteger generation = new AtomicInteger();
  private volatile boolean closed;
  private volatile Task task = i -> {};
  private volatile int tasks;
  private volatile Throwable failure;

  Workers(int count) {
    threads = new Thread[count - 1];
    for (int i = 0; i < threads.length; i++) {
      threads[i] = new Thread(this::work, "kernels-" + (i + 1));
      threads[i].setDaemon(true);
      threads[i].start();
    }
  }

  int count() {
    return threads.length + 1;
  }

  /** Runs tasks 0 to {@code count} - 1 on all threads, in any order, and waits for them. */
  void forTasks(int count, Task body) {
    if (count <= 1 || threads.length == 0) {
      for (int i = 0; i < count; i++) {
        body.run(i);
      }
      return;
    }
    task = body;
    tasks = count;
    failure = null;
    next.set(0);
    running.set(threads.length);
    generation.incrementAndGet();
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
    drain();
    for (int spin = 0; running.get() > 0; spin++) {
      if (spin < SPINS) {
        Thread.onSpinWait();
      } else {
        LockSupport.parkNanos(WAIT_NANOS);
      }
    }
    Throwable thrown = failure;
    if (thrown != null) {
      throw new IllegalStateException("A kernel failed", thrown);
    }
  }

  /** Cuts 0 to {@code size} into runs of a multiple of {@code grain}, some for each thread. */
  void forRange(int size, int grain, Range body) {
    int parts = Math.max(1, Math.min(2 * count(), size / Math.max(1, grain)));
    int length = (size / parts + grain - 1) / grain * grain;
    int tasksNeeded = length == 0 ? 1 : (size + length - 1) / length;
    forTasks(
        tasksNeeded,
        i -> body.run(i * length, length == 0 ? size : Math.min(size, (i + 1) * length)));
  }

  private void drain() {
    try {
      for (int i = next.getAndIncrement(); i < tasks; i = next.getAndIncrement()) {
        task.run(i);
      }
    } catch (Throwable t) {
      failure = t;
    }
  }

  private void work() {
    int seen = 0;
    while (true) {
      for (int spin = 0; generation.get() == seen && spin < SPINS; spin++) {
        Thread.onSpinWait();
      }
      while (generation.get() == seen && !closed) {
        LockSupport.park(this);
      }
      if (closed) {
        return;
      }
      seen = generation.get();
      drain();
      running.decrementAndGet();
    }
  }

  @Override
  public void close() {
    closed = true;
    for (Thread thread : threads) {
      LockSupport.unpark(thread);
    }
  }
}
