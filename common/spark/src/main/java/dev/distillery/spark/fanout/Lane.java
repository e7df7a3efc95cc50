package dev.distillery.spark.fanout;

import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.spark.fanout.LaneBook.Work;
import dev.distillery.spark.fanout.Wire.Answer;
import dev.distillery.spark.fanout.Wire.Exchange;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One task's way to the teacher: sends what its {@link LaneBook} decides, and brings each end into
 * the ledger. The teacher's replies and the driver's answers come from other threads; all else
 * happens on the task's own, which waits for neither while it has something to send.
 */
final class Lane {
  /** How a task ended. */
  record Report(long done, long failed) implements java.io.Serializable {}

  /** The task's surroundings: its line to the driver, and whether it is still wanted. */
  interface Driver {
    CompletableFuture<Answer> exchange(Exchange message);

    boolean cancelled();
  }

  /**
   * The time.
   *
   * @param millis of a clock that never goes back
   * @param wall what a person's clock shows
   */
  record Clocks(LongSupplier millis, InstantSource wall) {
    static final Clocks SYSTEM =
        new Clocks(() -> TimeUnit.NANOSECONDS.toMillis(System.nanoTime()), InstantSource.system());

    long now() {
      return millis.getAsLong();
    }
  }

  /**
   * Where leases stand that this task holds and never sent, when no driver hears of it any more.
   */
  interface UnusedLog {
    void log(List<String> requestIds);
  }

  /** Something that came from another thread, for the task's own to take up. */
  private sealed interface Event {
    /** How an attempt at a request ended. */
    record Ended(Work work, @Nullable TeacherReply reply, @Nullable Throwable failure)
        implements Event {}

    /** What the driver said to the question of that time. */
    record Said(long asked, @Nullable Answer answer, @Nullable Throwable failure)
        implements Event {}
  }

  private final LaneBook book;
  private final Driver driver;
  private final Teacher teacher;
  private final LedgerWriter ledger;
  private final UnusedLog unused;
  private final Consumer<Completion> sink;
  private final Clocks clocks;
  private final LinkedBlockingQueue<Event> events = new LinkedBlockingQueue<>();

  /**
   * @param sink sees every end once it is on its way into the ledger
   */
  Lane(
      LaneBook book,
      Driver driver,
      Teacher teacher,
      LedgerWriter ledger,
      UnusedLog unused,
      Consumer<Completion> sink,
      Clocks clocks) {
    this.book = book;
    this.driver = driver;
    this.teacher = teacher;
    this.ledger = ledger;
    this.unused = unused;
    this.sink = sink;
    this.clocks = clocks;
  }

  /**
   * Asks for everything in the partition, until it is done or the run stops. What is in flight at a
   * stop is waited for: it is paid.
   */
  Report run() throws InterruptedException {
    try {
      askForAll();
    } catch (RuntimeException | InterruptedException e) {
      keepWhatCame(e);
      throw e;
    }
    ledger.close();
    long now = clocks.now();
    List<String> unsent = book.unsent();
    Exchange last = book.lastQuestion(ledger.durable());
    book.apply(now, driver.exchange(last).join(), clocks.now());
    if (!book.known()) {
      unused.log(unsent);
      throw new IllegalStateException(
          "The driver has given task " + book.name() + " up; its replies are in the ledger");
    }
    return book.report();
  }

  private void askForAll() throws InterruptedException {
    while (true) {
      if (book.stopped() || driver.cancelled()) {
        if (!book.busy()) {
          return;
        }
      } else {
        book.lookAhead(clocks.now());
        sendReady();
        if (book.finished()) {
          return;
        }
      }
      long now = clocks.now();
      book.question(now, ledger.durable()).ifPresent(question -> ask(question, now));
      Event event = events.poll(Math.max(1, book.nextTurn(now) - now), TimeUnit.MILLISECONDS);
      for (; event != null; event = events.poll()) {
        handle(event);
      }
    }
  }

  /** The task dies, as when its driver is gone: what has come so far is paid, and is kept. */
  private void keepWhatCame(Exception cause) {
    try {
      for (Event event = events.poll(); event != null; event = events.poll()) {
        if (event instanceof Event.Ended) {
          handle(event);
        }
      }
      ledger.close();
      unused.log(book.unsent());
    } catch (RuntimeException e) {
      cause.addSuppressed(e);
    }
  }

  private void sendReady() {
    long now = clocks.now();
    for (Optional<Work> next = book.send(now); next.isPresent(); next = book.send(now)) {
      Work work = next.get();
      var unusedFuture =
          teacher
              .send(work.request())
              .whenComplete((reply, failure) -> events.add(new Event.Ended(work, reply, failure)));
    }
  }

  /** Asks the driver, whose answer comes as an event. */
  private void ask(Exchange question, long now) {
    var unusedFuture =
        driver
            .exchange(question)
            .whenComplete((answer, failure) -> events.add(new Event.Said(now, answer, failure)));
  }

  private void handle(Event event) {
    long now = clocks.now();
    if (event instanceof Event.Said said) {
      if (said.answer() == null) {
        throw new IllegalStateException(cause(said.failure()));
      }
      book.apply(said.asked(), said.answer(), now);
      if (book.otherForm()) {
        teacher.takeOtherForm();
      }
    } else if (event instanceof Event.Ended ended) {
      if (ended.reply() != null) {
        finish(book.answered(ended.work(), ended.reply(), now, clocks.wall().instant()));
      } else {
        book.failed(ended.work(), teacherException(ended.failure()), now, clocks.wall().instant())
            .ifPresent(this::finish);
      }
    }
  }

  private void finish(Completion completion) {
    ledger.append(Ledger.toJson(completion));
    sink.accept(completion);
  }

  private static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException && failure.getCause() != null
        ? failure.getCause()
        : failure;
  }

  private static TeacherException teacherException(@Nullable Throwable failure) {
    Throwable cause = cause(failure);
    if (cause instanceof TeacherException known) {
      return known;
    }
    // A defect in a teacher must not take the run down: it is this request's failure.
    return new TeacherException(
        TeacherException.Category.BAD_REQUEST, 0, Optional.empty(), String.valueOf(cause));
  }
}
