package dev.distillery.spark.job;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/**
 * Which process a driver is. A process number says something only within one start of one machine
 * and one namespace of processes: containers share host names and numbers.
 *
 * @param boot the machine's start, as the kernel names it; empty where it does not
 * @param namespace of process numbers; empty where the kernel does not tell
 * @param startedAt the process's start in milliseconds
 */
record DriverIdentity(String host, String boot, String namespace, long pid, long startedAt) {
  /** What another driver's mark says of its process. */
  enum State {
    ALIVE,
    DEAD,
    /** It is elsewhere: only time can tell. */
    UNKNOWN
  }

  static DriverIdentity ofThisProcess() {
    ProcessHandle self = ProcessHandle.current();
    return new DriverIdentity(hostName(), bootId(), pidNamespace(), self.pid(), startOf(self));
  }

  /** What is known of the process that wrote a mark. */
  State state(JsonNode mark) {
    boolean comparable =
        !boot.isEmpty()
            && !namespace.isEmpty()
            && mark.path("boot").asText().equals(boot)
            && mark.path("namespace").asText().equals(namespace);
    if (!comparable) {
      return State.UNKNOWN;
    }
    return ProcessHandle.of(mark.path("pid").asLong())
            .filter(ProcessHandle::isAlive)
            .filter(process -> startOf(process) == mark.path("process_started_at").asLong())
            .isPresent()
        ? State.ALIVE
        : State.DEAD;
  }

  void write(ObjectNode mark) {
    mark.put("host", host)
        .put("boot", boot)
        .put("namespace", namespace)
        .put("pid", pid)
        .put("process_started_at", startedAt);
  }

  private static long startOf(ProcessHandle process) {
    return process.info().startInstant().map(Instant::toEpochMilli).orElse(0L);
  }

  private static String hostName() {
    try {
      return InetAddress.getLocalHost().getHostName();
    } catch (UnknownHostException e) {
      return "unknown";
    }
  }

  private static String bootId() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/random/boot_id")).strip();
    } catch (IOException | SecurityException e) {
      return "";
    }
  }

  private static String pidNamespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    } catch (IOException | SecurityException | UnsupportedOperationException e) {
      return "";
    }
  }
}
