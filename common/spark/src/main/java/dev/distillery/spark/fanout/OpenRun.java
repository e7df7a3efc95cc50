package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.teacher.Secret;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * A run that is open in this session: its books, its key, and the thread that logs what is granted
 * before it may be sent.
 */
final class OpenRun implements AutoCloseable {
  private static final long LOOK_NANOS = 100_000_000;

  private final FanoutSpec spec;
  private final Secret key;
  private final RunBook book;
  private final GrantLog log;
  private final Thread logger;
  private volatile boolean closed;

  OpenRun(FanoutSpec spec, Secret key, RunBook book, GrantLog log) {
    this.spec = spec;
    this.key = key;
    this.book = book;
    this.log = log;
    this.logger = new Thread(this::logGrants, "distillery-grants-" + spec.runId());
    logger.setDaemon(true);
    logger.start();
  }

  String id() {
    return spec.runId();
  }

  RunBook book() {
    return book;
  }

  Wire.Welcome join(Wire.Join join) {
    book.join(join);
    return new Wire.Welcome(spec.settings(), key.reveal(), spec.price().orElse(null), spec.retry());
  }

  Wire.Answer exchange(Wire.Exchange exchange) {
    Wire.Answer answer = book.exchange(exchange);
    LockSupport.unpark(logger);
    return answer;
  }

  /** Writes what is still to be logged, and ends the thread. */
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(logger);
    try {
      logger.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void logGrants() {
    while (true) {
      boolean last = closed;
      book.look();
      List<RunBook.Grant> grants = book.takeGrantsToLog();
      List<RunBook.Unused> voids = book.takeVoids();
      try {
        if (!grants.isEmpty() || !voids.isEmpty()) {
          log.put(grants, voids);
          book.logged();
        } else if (last) {
          log.close();
          return;
        } else {
          log.idle();
          LockSupport.parkNanos(LOOK_NANOS);
        }
      } catch (IOException e) {
        book.stop(
            new FanoutStop(
                ExitCode.TEMPORARY,
                "The ledger cannot be written, so nothing more is sent: " + e.getMessage()));
        return;
      }
    }
  }
}
