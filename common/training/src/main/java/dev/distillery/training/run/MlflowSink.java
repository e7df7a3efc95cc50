package dev.distillery.training.run;

import dev.distillery.core.run.Progress;
import dev.distillery.spark.warehouse.MetricRow;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Hands a run's figures to an MLflow server, beside its own files. Nothing of the run depends on
 * it: a daemon thread sends, figures wait in a bounded queue, a server that is away is tried again,
 * less and less often, and what was not delivered is counted. A run that is resumed goes on in its
 * run there, and what that has already is not sent again: the same step has the same figures.
 */
final class MlflowSink implements Consumer<MetricRow> {
  /** How a run ends, in MLflow's words. */
  enum Status {
    FINISHED,
    FAILED,
    KILLED
  }

  /**
   * How long is waited.
   *
   * @param first pause after a failure; each is twice the last, up to {@code longest}
   * @param end for what is left once the run has ended
   */
  record Waits(Duration first, Duration longest, Duration end) {
    static final Waits DEFAULT =
        new Waits(Duration.ofSeconds(1), Duration.ofSeconds(30), Duration.ofSeconds(10));
  }

  private static final int QUEUE = 100_000;

  private final MlflowServer server;
  private final String experiment;
  private final String runId;
  private final boolean anew;
  private final Map<String, String> parameters;
  private final Progress progress;
  private final Clock clock;
  private final Waits waits;
  private final Thread thread = new Thread(this::send, "mlflow");

  // All under the sink's lock.
  private final Deque<MetricRow> queue = new ArrayDeque<>();
  private long logged;
  private long delivered;
  private boolean refused;
  private @Nullable Status end;

  // The sender's own.
  private MlflowServer.@Nullable Run run;
  private final Map<String, Long> sent = new HashMap<>();
  private boolean warned;

  /**
   * Starts to send.
   *
   * @param runId of Distillery, by which the run is found again
   * @param anew makes a new run there, whatever there is
   * @param parameters of a new run
   */
  MlflowSink(
      MlflowServer server,
      String experiment,
      String runId,
      boolean anew,
      Map<String, String> parameters,
      Progress progress,
      Clock clock,
      Waits waits) {
    this.server = server;
    this.experiment = experiment;
    this.runId = runId;
    this.anew = anew;
    this.parameters = Map.copyOf(parameters);
    this.progress = progress;
    this.clock = clock;
    this.waits = waits;
    thread.setDaemon(true);
    thread.start();
  }

  /** Never waits: what finds the queue full is counted and left out. */
  @Override
  public synchronized void accept(MetricRow row) {
    logged++;
    if (queue.size() < QUEUE && !refused) {
      queue.add(row);
      notifyAll();
    }
  }

  /** Gives what is left some time, and says what was not delivered. */
  void close(Status status) {
    synchronized (this) {
      end = status;
      notifyAll();
    }
    try {
      thread.join(waits.end().toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    thread.interrupt();
    synchronized (this) {
      refused = true;
      if (delivered < logged) {
        progress.say(
            "MLflow: %s of %s figures were not delivered".formatted(logged - delivered, logged));
      }
    }
  }

  private void send() {
    Duration pause = waits.first();
    while (true) {
      try {
        if (run == null) {
          open();
        }
        List<MetricRow> rows = next();
        if (rows.isEmpty()) {
          finish();
          return;
        }
        deliver(rows);
        pause = waits.first();
      } catch (MlflowServer.RefusedException e) {
        warn(e.getMessage(), "it gets no more");
        giveUp();
        return;
      } catch (IOException e) {
        warn(e.getMessage(), "it is tried again");
        if (!sleep(pause)) {
          return;
        }
        pause = pause.multipliedBy(2);
        pause = pause.compareTo(waits.longest()) > 0 ? waits.longest() : pause;
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        warn(e.toString(), "it gets no more");
        giveUp();
        return;
      }
    }
  }

  private void open() throws IOException, InterruptedException {
    MlflowServer.Run opened = server.open(experiment, runId, anew, clock.millis());
    if (!opened.found()) {
      server.parameters(opened, parameters);
    }
    sent.putAll(opened.lastSteps());
    run = opened;
  }

  /** The next figures, which stay in the queue until they are delivered; none at the end. */
  private synchronized List<MetricRow> next() throws InterruptedException {
    while (queue.isEmpty() && end == null) {
      wait();
    }
    List<MetricRow> rows = new ArrayList<>();
    for (MetricRow row : queue) {
      if (rows.size() == MlflowServer.BATCH) {
        break;
      }
      rows.add(row);
    }
    return rows;
  }

  private void deliver(List<MetricRow> rows) throws IOException, InterruptedException {
    List<MetricRow> fresh =
        rows.stream().filter(row -> row.step() > sent.getOrDefault(row.name(), -1L)).toList();
    if (!fresh.isEmpty()) {
      server.metrics(Objects.requireNonNull(run), fresh);
      fresh.forEach(row -> sent.put(row.name(), row.step()));
    }
    synchronized (this) {
      delivered += rows.size();
      rows.forEach(row -> queue.remove());
    }
  }

  private void finish() throws IOException, InterruptedException {
    String status;
    synchronized (this) {
      status = String.valueOf(end);
    }
    server.update(Objects.requireNonNull(run), status, Optional.of(clock.millis()));
  }

  private synchronized void giveUp() {
    refused = true;
    queue.clear();
  }

  private void warn(String what, String then) {
    if (!warned) {
      warned = true;
      progress.say("Warning: MLflow: " + what + "; " + then + ", and the run goes on without it");
    }
  }

  private static boolean sleep(Duration pause) {
    try {
      Thread.sleep(pause.toMillis());
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }
}
