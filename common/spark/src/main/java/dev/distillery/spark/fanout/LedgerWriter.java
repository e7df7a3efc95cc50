package dev.distillery.spark.fanout;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Brings the replies of one task into the ledger, by group commit: a thread of its own takes
 * whatever waits as soon as it is free, and writes it in one go. So a reply waits for no clock and
 * no number of others, and a slow store does not hold requests back; where it falls far behind,
 * {@link #append} waits. All methods are for the task's thread.
 */
final class LedgerWriter implements AutoCloseable {
  private static final int MOST_WAITING = 2048;
  private static final int IDLE_MILLIS = 200;

  /** A line that no sender can write: the end. */
  private static final String END = "\n";

  /** Where lines go, used by one thread. */
  interface Sink {
    /** Writes lines; when this returns, the death of this process loses none of them. */
    void put(List<String> lines) throws IOException;

    /** Called now and then while there is nothing to write. */
    void idle() throws IOException;

    /** Makes everything as durable as the store can. */
    void close() throws IOException;
  }

  private final Sink sink;
  private final BlockingQueue<String> waiting = new ArrayBlockingQueue<>(MOST_WAITING);
  private final AtomicLong durable = new AtomicLong();
  private final AtomicReference<IOException> failure = new AtomicReference<>();
  private final Thread thread;

  /**
   * @param name of the writer, for a person who looks at threads
   */
  LedgerWriter(String name, Sink sink) {
    this.sink = sink;
    this.thread = new Thread(this::writeAll, "distillery-ledger-" + name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Adds a line. */
  void append(String line) {
    failIfBroken();
    put(line);
  }

  /** Lines that are durable. */
  long durable() {
    return durable.get();
  }

  /** Writes what is left; when this returns, every line is durable. */
  @Override
  public void close() {
    put(END);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the ledger is being written", e);
    }
    failIfBroken();
  }

  private void put(String line) {
    try {
      waiting.put(line);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the ledger is being written", e);
    }
  }

  private void failIfBroken() {
    IOException broken = failure.get();
    if (broken != null) {
      throw new UncheckedIOException(
          "The ledger cannot be written: " + broken.getMessage(), broken);
    }
  }

  private void writeAll() {
    var lines = new ArrayList<String>();
    boolean ended = false;
    try {
      while (!ended) {
        lines.clear();
        String first = waiting.poll(IDLE_MILLIS, TimeUnit.MILLISECONDS);
        if (first != null) {
          lines.add(first);
          waiting.drainTo(lines);
          ended = lines.get(lines.size() - 1).equals(END);
        }
        if (failure.get() == null) {
          // After a failure lines are taken and dropped, so that the sender hears of it.
          write(ended ? lines.subList(0, lines.size() - 1) : lines, ended);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void write(List<String> lines, boolean last) {
    try {
      if (lines.isEmpty()) {
        sink.idle();
      } else {
        sink.put(List.copyOf(lines));
        durable.addAndGet(lines.size());
      }
      if (last) {
        sink.close();
      }
    } catch (IOException e) {
      failure.set(e);
    }
  }
}
