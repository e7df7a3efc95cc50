package dev.distillery.spark.fanout;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * Brings the replies of one task into the ledger: objects of at most {@link #MOST_LINES} lines,
 * each closed at most {@link #LONGEST_MILLIS} after its first line came. A thread of its own writes
 * them, so that a slow store does not hold requests back; where it falls behind, {@link #append}
 * waits. All methods are for the task's thread.
 */
final class LedgerWriter implements AutoCloseable {
  static final int MOST_LINES = 64;
  static final int LONGEST_MILLIS = 1000;
  private static final int MOST_WAITING = 8;
  private static final List<String> END = List.of();

  /** Writes one object, durably. */
  interface Sink {
    void put(String name, List<String> lines) throws IOException;
  }

  private final String prefix;
  private final Sink sink;
  private final LongSupplier clockMillis;
  private final BlockingQueue<List<String>> closed = new ArrayBlockingQueue<>(MOST_WAITING);
  private final AtomicLong durable = new AtomicLong();
  private final AtomicReference<IOException> failure = new AtomicReference<>();
  private final Thread thread;
  private ArrayList<String> open = new ArrayList<>();
  private long openedAt;

  /**
   * @param prefix head of the objects' names; no other writer has it
   */
  LedgerWriter(String prefix, Sink sink, LongSupplier clockMillis) {
    this.prefix = prefix;
    this.sink = sink;
    this.clockMillis = clockMillis;
    this.thread = new Thread(this::writeAll, "distillery-ledger-" + prefix);
    thread.setDaemon(true);
    thread.start();
  }

  /** Adds a line. */
  void append(String line) {
    if (open.isEmpty()) {
      openedAt = clockMillis.getAsLong();
    }
    open.add(line);
    if (open.size() >= MOST_LINES) {
      closeObject();
    }
  }

  /** Closes the open object if its time has come. */
  void tick() {
    if (!open.isEmpty() && clockMillis.getAsLong() - openedAt >= LONGEST_MILLIS) {
      closeObject();
    }
  }

  /** Lines that are durable. */
  long durable() {
    return durable.get();
  }

  /** Writes what is left; when this returns, every line is durable. */
  @Override
  public void close() {
    if (!open.isEmpty()) {
      closeObject();
    }
    offer(END);
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while the ledger is being written", e);
    }
    failIfBroken();
  }

  private void closeObject() {
    offer(open);
    open = new ArrayList<>();
  }

  private void offer(List<String> lines) {
    failIfBroken();
    try {
      closed.put(lines);
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
    int number = 0;
    try {
      for (List<String> lines = closed.take(); !lines.isEmpty(); lines = closed.take()) {
        if (failure.get() == null) {
          number++;
          try {
            sink.put(String.format(Locale.ROOT, "%s-%06d.jsonl", prefix, number), lines);
            durable.addAndGet(lines.size());
          } catch (IOException e) {
            failure.set(e);
          }
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
