package dev.distillery.spark.testing;

import dev.distillery.core.testing.PythonPackage;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A real standalone cluster of Spark on the loopback address: a master and workers, each a JVM of
 * its own, out of the Python package pyspark, which is installed once a user into the cache folder.
 * Where pip cannot bring it, the test is skipped, with a loud message.
 */
public final class StandaloneCluster implements AutoCloseable {
  private static final String VERSION = "4.1.0";
  private static final String SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC";
  private static final Duration START = Duration.ofSeconds(90);

  private final Path home;
  private final Path folder;
  private final int port;
  private final List<Process> daemons = new ArrayList<>();
  private final List<Process> drivers = new ArrayList<>();

  private StandaloneCluster(Path home, Path folder, int port) {
    this.home = home;
    this.folder = folder;
    this.port = port;
  }

  /**
   * Starts a cluster and waits until every worker has registered.
   *
   * @param workers how many; each runs one executor JVM of an application
   * @param coresEach of a worker
   */
  public static StandaloneCluster start(int workers, int coresEach) {
    return start(workers, coresEach, Map.of());
  }

  /**
   * As above.
   *
   * @param settings of Spark for the workers, such as {@code spark.worker.resource.gpu.amount}
   */
  public static StandaloneCluster start(int workers, int coresEach, Map<String, String> settings) {
    try {
      Path folder = Files.createTempDirectory("standalone-cluster-");
      var cluster = new StandaloneCluster(sparkHome(), folder, freePort());
      cluster.startMaster();
      for (int i = 1; i <= workers; i++) {
        cluster.startWorker(i, coresEach, settings);
      }
      cluster.awaitWorkers(workers);
      return cluster;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What {@code --master} takes. */
  public String masterUrl() {
    return "spark://127.0.0.1:" + port;
  }

  /** Folder of the distribution, for {@code SPARK_HOME}; installs it where it is not there yet. */
  public static Path sparkHome() {
    return PythonPackage.folder("pyspark", "", VERSION).resolve("pyspark");
  }

  /**
   * The part of this JVM's class path that is not Spark's own: what the driver and the executors of
   * an application under test need ({@code spark.driver.extraClassPath}, {@code
   * spark.executor.extraClassPath}).
   */
  public static String testClassPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(
            entry ->
                entry.contains("/target/")
                    || entry.contains("distillery")
                    || Stream.of("/picocli/", "/jspecify/", "/knuddels/", "/kherud/")
                        .anyMatch(entry::contains))
        .collect(Collectors.joining(File.pathSeparator));
  }

  /**
   * Starts {@code spark-submit} on this cluster with a main class of the test's class path, the
   * classes of {@link #testClassPath} given to driver and executors. Their JVMs compile in one
   * step, as they live for seconds.
   *
   * @param mainClass has {@code main(String[])}
   * @param conf Spark settings
   * @param environment added to the driver's
   * @param log takes standard output and error
   */
  public Process submit(
      Class<?> mainClass,
      Map<String, String> conf,
      Map<String, String> environment,
      Path log,
      String... args) {
    var command = new ArrayList<String>();
    command.add(home.resolve("bin/spark-submit").toString());
    command.addAll(List.of("--master", masterUrl(), "--class", mainClass.getName()));
    command.addAll(List.of("--driver-memory", "512m", "--driver-class-path", testClassPath()));
    command.addAll(List.of("--conf", "spark.executor.extraClassPath=" + testClassPath()));
    command.addAll(List.of("--conf", "spark.executor.memory=512m"));
    for (String side : List.of("driver", "executor")) {
      command.addAll(List.of("--conf", "spark." + side + ".extraJavaOptions=" + SHORT_LIVED));
    }
    command.addAll(List.of("--conf", "spark.driver.host=127.0.0.1"));
    command.addAll(List.of("--conf", "spark.driver.bindAddress=127.0.0.1"));
    command.addAll(List.of("--conf", "spark.ui.enabled=" + conf.containsKey("spark.ui.port")));
    conf.forEach((name, value) -> command.addAll(List.of("--conf", name + "=" + value)));
    command.add("spark-internal");
    command.addAll(List.of(args));
    Process driver = start(command, environment, log);
    drivers.add(driver);
    return driver;
  }

  /** The executor JVMs that run now. */
  public List<ProcessHandle> executors() {
    return daemons.stream()
        .flatMap(daemon -> daemon.toHandle().descendants())
        .filter(
            process ->
                process
                    .info()
                    .commandLine()
                    .filter(line -> line.contains("CoarseGrainedExecutorBackend"))
                    .isPresent())
        .toList();
  }

  /** What each executor JVM has logged so far, those that are gone among them. */
  public List<String> executorLogs() {
    try (Stream<Path> files = Files.walk(folder)) {
      List<String> logs = new ArrayList<>();
      for (Path log : files.filter(file -> file.endsWith("stderr")).toList()) {
        logs.add(Files.readString(log));
      }
      return logs;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Folder of the daemons' logs and of the executors' work. */
  public Path folder() {
    return folder;
  }

  /** Ends all at once, as a power cut would. */
  @Override
  public void close() {
    drivers.forEach(Process::destroyForcibly);
    for (Process daemon : daemons) {
      daemon.descendants().forEach(ProcessHandle::destroyForcibly);
      daemon.destroyForcibly();
    }
  }

  private void startMaster() {
    daemon(
        "master",
        "org.apache.spark.deploy.master.Master",
        List.of("--host", "127.0.0.1", "--port", "" + port, "--webui-port", "0"),
        "");
  }

  private void startWorker(int number, int cores, Map<String, String> settings) {
    daemon(
        "worker-" + number,
        "org.apache.spark.deploy.worker.Worker",
        List.of(
            "--host",
            "127.0.0.1",
            "--webui-port",
            "0",
            "--cores",
            "" + cores,
            "--memory",
            "1g",
            "--work-dir",
            folder.resolve("work-" + number).toString(),
            masterUrl()),
        settings.entrySet().stream()
            .map(setting -> "-D" + setting.getKey() + "=" + setting.getValue())
            .collect(Collectors.joining(" ")));
  }

  private void daemon(String name, String mainClass, List<String> args, String options) {
    var command = new ArrayList<String>();
    command.add(home.resolve("bin/spark-class").toString());
    command.add(mainClass);
    command.addAll(args);
    daemons.add(
        start(
            command,
            Map.of(
                "SPARK_DAEMON_MEMORY",
                "256m",
                "SPARK_DAEMON_JAVA_OPTS",
                SHORT_LIVED,
                "SPARK_WORKER_OPTS",
                options),
            folder.resolve(name + ".log")));
  }

  private Process start(List<String> command, Map<String, String> environment, Path log) {
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(log.toFile());
    builder.environment().put("SPARK_HOME", home.toString());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    try {
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void awaitWorkers(int workers) {
    await(
        () -> {
          try {
            Path log = folder.resolve("master.log");
            return Files.exists(log)
                && Files.readString(log)
                        .lines()
                        .filter(l -> l.contains("Registering worker"))
                        .count()
                    >= workers;
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        },
        START,
        "the workers to register; see " + folder);
  }

  /** Waits until the condition holds, looking twenty times a second. */
  public static void await(BooleanSupplier condition, Duration longest, String what) {
    long end = System.nanoTime() + longest.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new IllegalStateException("Waited in vain for " + what);
      }
      try {
        TimeUnit.MILLISECONDS.sleep(50);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted while waiting for " + what, e);
      }
    }
  }

  /** A port that nobody listens on. */
  public static int freePort() {
    try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
