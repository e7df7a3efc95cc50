package dev.distillery.spark.job;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.spark.warehouse.Warehouse;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Timer;
import java.util.TimerTask;
import java.util.UUID;
import org.slf4j.LoggerFactory;

/**
 * The mark that one driver works on a run id. It is renewed while the driver lives; a driver that
 * finds a fresh one of somebody else ends with exit 75. On the same host a process that is gone
 * frees its mark at once, elsewhere after {@link #EXPIRY}.
 */
final class RunLease implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration RENEWAL = Duration.ofSeconds(10);
  static final Duration EXPIRY = Duration.ofSeconds(60);

  private final Warehouse warehouse;
  private final String runId;
  private final Clock clock;
  private final ObjectNode content;
  private final Timer renewal = new Timer("distillery-run-lease", true);
  private boolean closed;

  private RunLease(Warehouse warehouse, String runId, Clock clock, ObjectNode content) {
    this.warehouse = warehouse;
    this.runId = runId;
    this.clock = clock;
    this.content = content;
  }

  /**
   * Takes the run id, or finds that another driver has it.
   *
   * @param decisiveOptions are kept in the mark, so that a driver that resumes after a crash can
   *     compare
   */
  static RunLease take(
      Warehouse warehouse, String runId, Map<String, String> decisiveOptions, Clock clock) {
    find(warehouse, runId)
        .filter(lease -> alive(lease, clock))
        .ifPresent(lease -> refuse(runId, lease));
    ObjectNode content = JSON.createObjectNode();
    content
        .put("owner", UUID.randomUUID().toString())
        .put("host", host())
        .put("pid", ProcessHandle.current().pid())
        .put("process_started_at", processStart(ProcessHandle.current()));
    content.set("decisive_options", JSON.valueToTree(decisiveOptions));
    var lease = new RunLease(warehouse, runId, clock, content);
    content.put("renewed_at_ms", clock.millis());
    // Only one driver can create the file; the mark of a dead one is taken away first.
    warehouse.delete(warehouse.lease(runId));
    if (!warehouse.createText(warehouse.lease(runId), content.toString())) {
      find(warehouse, runId).ifPresent(other -> refuse(runId, other));
    }
    lease.check();
    lease.renewal.scheduleAtFixedRate(
        new TimerTask() {
          @Override
          public void run() {
            lease.renew();
          }
        },
        RENEWAL.toMillis(),
        RENEWAL.toMillis());
    return lease;
  }

  /** The mark of a run, live or left by a driver that died. */
  static Optional<JsonNode> find(Warehouse warehouse, String runId) {
    return warehouse
        .readText(warehouse.lease(runId))
        .map(
            text -> {
              try {
                return JSON.readTree(text);
              } catch (JsonProcessingException e) {
                return JSON.createObjectNode();
              }
            });
  }

  /**
   * Makes sure that the mark is still this driver's.
   *
   * @throws JobException with {@link ExitCode#TEMPORARY} where another driver has taken it, as
   *     after a pause of more than {@link #EXPIRY}
   */
  void check() {
    find(warehouse, runId)
        .filter(now -> !now.path("owner").equals(content.path("owner")))
        .ifPresent(other -> refuse(runId, other));
  }

  /** Who holds the mark, for a person: process and host. */
  String driver() {
    return content.path("pid").asLong() + "@" + content.path("host").asText();
  }

  private static void refuse(String runId, JsonNode lease) {
    throw new JobException(
        ExitCode.TEMPORARY,
        "Another driver works on the run "
            + runId
            + ": process "
            + lease.path("pid").asLong()
            + " on "
            + lease.path("host").asText()
            + "; wait for its end, or give another --run-id");
  }

  private static boolean alive(JsonNode lease, Clock clock) {
    Instant renewed = Instant.ofEpochMilli(lease.path("renewed_at_ms").asLong());
    if (Duration.between(renewed, clock.instant()).compareTo(EXPIRY) > 0) {
      return false;
    }
    if (!lease.path("host").asText().equals(host())) {
      return true;
    }
    return ProcessHandle.of(lease.path("pid").asLong())
        .filter(ProcessHandle::isAlive)
        .filter(process -> processStart(process) == lease.path("process_started_at").asLong())
        .isPresent();
  }

  private void renew() {
    try {
      write();
    } catch (RuntimeException e) {
      // A failed renewal is made good by the next one; the mark lives through several.
      LoggerFactory.getLogger(RunLease.class).warn("Cannot renew the run's lease", e);
    }
  }

  private synchronized void write() {
    if (closed) {
      return;
    }
    check();
    content.put("renewed_at_ms", clock.millis());
    warehouse.writeText(warehouse.lease(runId), content.toString());
  }

  private static long processStart(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  private static String host() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  /** Stops renewing and takes the mark away. */
  @Override
  public synchronized void close() {
    renewal.cancel();
    closed = true;
    boolean ours =
        find(warehouse, runId)
            .filter(now -> now.path("owner").equals(content.path("owner")))
            .isPresent();
    if (ours) {
      warehouse.delete(warehouse.lease(runId));
    }
  }
}
