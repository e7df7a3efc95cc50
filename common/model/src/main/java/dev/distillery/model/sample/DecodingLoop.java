package dev.distillery.model.sample;

import dev.distillery.core.teacher.RateLimits;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * One thread that decodes whatever is asked, in one batch. Work that comes joins the batch between
 * two tokens, first come first served.
 */
final class DecodingLoop implements AutoCloseable {
  private static final int LEAST_CAPACITY = 256;
  private static final String CLOSED = "The student was closed";

  private record Item(DecodingWork work, StudentPrompts.Prepared prepared, long deadline) {}

  private final Student student;
  private final EngineSettings settings;
  private final int context;
  private final int rows;
  private final LinkedBlockingQueue<DecodingWork> asked = new LinkedBlockingQueue<>();
  private final ArrayDeque<Item> waiting = new ArrayDeque<>();
  private final Map<Generator.Prompt, Item> decoding = new HashMap<>();
  private final Thread thread;
  private @Nullable Generator generator;
  private @Nullable DecodingBatch batch;

  /**
   * @param student whose decoder this thread alone uses
   * @param context tokens of a row, prompt and reply together
   * @param rows decoded together at most
   */
  DecodingLoop(Student student, EngineSettings settings, int context, int rows) {
    this.student = student;
    this.settings = settings;
    this.context = context;
    this.rows = rows;
    this.thread = new Thread(this::run, "student-decoding");
    thread.setDaemon(true);
    thread.start();
  }

  void submit(DecodingWork work) {
    asked.add(work);
    if (!thread.isAlive()) {
      failAll(Category.SERVER_ERROR, CLOSED);
    }
  }

  private void run() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        if (waiting.isEmpty() && decoding.isEmpty()) {
          prepare(asked.take());
        }
        for (DecodingWork work = asked.poll(); work != null; work = asked.poll()) {
          prepare(work);
        }
        decode();
      }
    } catch (InterruptedException e) {
      // Closed.
    } finally {
      failAll(Category.SERVER_ERROR, CLOSED);
      closeBatch();
      if (generator != null) {
        generator.close();
      }
    }
  }

  private void prepare(DecodingWork work) {
    try {
      long deadline = System.nanoTime() + settings.timeout().toNanos();
      waiting.add(new Item(work, work.prepare(), deadline));
    } catch (TeacherException e) {
      work.failed(e);
    } catch (RuntimeException e) {
      work.failed(StudentPrompts.failure(Category.BAD_REQUEST, "The student cannot read it: " + e));
    }
  }

  /** Lets in what has room, and writes one token of every row. */
  private void decode() {
    try {
      waiting.removeIf(item -> item.work().isLeft() || late(item));
      while (!waiting.isEmpty() && !Thread.currentThread().isInterrupted()) {
        Item item = waiting.element();
        DecodingBatch into = room(item.prepared().tokens());
        if (into == null) {
          break;
        }
        waiting.remove();
        decoding.put(item.prepared().prompt(), item);
        into.add(
            item.prepared().prompt(),
            item.prepared().options(),
            item.prepared().text(),
            item.work().listener(),
            reply -> done(item, reply));
      }
      if (batch != null) {
        batch.step(settings.promptTokens());
        dropTheLateAndLeft(batch);
      }
    } catch (CancellationException e) {
      // Told to end within a step: the loop does.
      closeBatch();
    } catch (IOException e) {
      failAll(Category.UNKNOWN_MODEL, "The student cannot be loaded: " + e.getMessage());
    } catch (RuntimeException e) {
      closeBatch();
      failAll(Category.SERVER_ERROR, "The student failed: " + e);
    } catch (Error e) {
      // Out of memory, or a native library that does not load: the next request would end alike.
      closeBatch();
      failAll(Category.UNKNOWN_MODEL, "The student cannot go on: " + e);
    }
  }

  /**
   * The batch, where a row of so many tokens can join it now. Its cache is as long as the rows so
   * far have needed, to a power of two; a longer one is made once the batch is empty.
   */
  private @Nullable DecodingBatch room(int tokens) throws IOException {
    if (generator == null) {
      generator = new Generator(student.decoder(), ids -> student.tokenizer().decode(ids, true));
    }
    DecodingBatch now = batch;
    if (now == null || (now.isEmpty() && now.capacity() < tokens)) {
      closeBatch();
      int capacity =
          settings.wholeContext()
              ? context
              : Math.max(LEAST_CAPACITY, Integer.highestOneBit(tokens - 1) << 1);
      now = generator.batch(rows, Math.min(context, capacity));
      batch = now;
    }
    return now.hasRoom() && now.capacity() >= tokens ? now : null;
  }

  private void done(Item item, Generator.Reply reply) {
    decoding.remove(item.prepared().prompt());
    try {
      item.work().done(reply);
    } catch (RuntimeException e) {
      item.work().failed(StudentPrompts.failure(Category.SERVER_ERROR, "The reply is lost: " + e));
    }
  }

  private void dropTheLateAndLeft(DecodingBatch from) {
    for (Item item : List.copyOf(decoding.values())) {
      if (item.work().isLeft() || late(item)) {
        from.remove(item.prepared().prompt());
        decoding.remove(item.prepared().prompt());
      }
    }
  }

  /** Whether a work's time is over; then it is told. */
  private boolean late(Item item) {
    if (System.nanoTime() <= item.deadline()) {
      return false;
    }
    // It would take as long again.
    item.work()
        .failed(
            new TeacherException(
                Category.TIMEOUT,
                0,
                Optional.empty(),
                Optional.of(false),
                RateLimits.NONE,
                "No whole reply within %s ms (--request-timeout)"
                    .formatted(settings.timeout().toMillis())));
    return true;
  }

  private void failAll(Category category, String message) {
    List<DecodingWork> all = new ArrayList<>();
    asked.drainTo(all);
    waiting.forEach(item -> all.add(item.work()));
    decoding.values().forEach(item -> all.add(item.work()));
    waiting.clear();
    decoding.clear();
    all.forEach(work -> work.failed(StudentPrompts.failure(category, message)));
  }

  private void closeBatch() {
    if (batch != null) {
      batch.close();
      batch = null;
    }
  }

  /** Ends the thread; what is asked and not done fails. */
  @Override
  public void close() {
    thread.interrupt();
    try {
      thread.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
