package dev.distillery.training.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.testing.StandaloneCluster;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two executor JVMs and a driver of its own against one process. */
@Timeout(value = 30, unit = TimeUnit.MINUTES)
class TrainingClusterIT {
  /** What the student needs and Spark's distribution does not have, by parts of the paths. */
  private static final List<String> STUDENT =
      List.of("/nd4j/", "/bytedeco/", "/byteunits/", "/oshi/", "/jna/", "/threeten/", "/ericaro/");

  @TempDir Path folder;

  /**
   * Executors and drivers killed at random moments, each new driver with another number of workers,
   * change no bit. {@code -Dtraining.kills=20} kills more of them, {@code -Dtraining.kills.seed}
   * elsewhere.
   */
  @Test
  void executorsAndDriversThatDieGiveTheBitsOfOneProcess() throws Exception {
    int kills = Integer.getInteger("training.kills", 3);
    long seed = Long.getLong("training.kills.seed", 1);
    var random = new Random(seed);
    String steps = "max-steps=" + 6 * kills;
    TinyTraining here =
        TrainingDriver.tiny(LocalSpark.session(), folder).with("max-steps", 6 * kills);
    here.run("here");
    int drivers = 1;
    int executors = 0;
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 2, gpus())) {
      Process driver = driver(cluster, "driver-1.log", steps);
      int step = 0;
      for (int kill = 1; kill <= kills; kill++) {
        step = awaitCheckpointAfter(step, driver, "driver-" + drivers + ".log");
        Thread.sleep(random.nextInt(500));
        // The first two are one of each kind.
        if (kill == 1 || (kill > 2 && random.nextBoolean())) {
          List<ProcessHandle> alive = cluster.executors();
          if (!alive.isEmpty()) {
            alive.get(random.nextInt(alive.size())).destroyForcibly();
            executors++;
          }
        } else {
          driver.destroyForcibly().waitFor();
          assertThat(here.output("there").resolve("adapter_config.json")).doesNotExist();
          drivers++;
          String workers = "workers=" + (1 + random.nextInt(4));
          driver = driver(cluster, "driver-" + drivers + ".log", steps, workers);
        }
        System.out.printf(
            "Kill %d of %d after step %d: %d executors, %d drivers%n",
            kill, kills, step, executors, drivers - 1);
      }
      assertThat(driver.waitFor(5, TimeUnit.MINUTES)).isTrue();
      String log = read("driver-" + drivers + ".log");
      assertThat(driver.exitValue()).as(log).isZero();
      assertThat(log).contains("Goes on from the checkpoint of step");
      assertThat(cluster.executorLogs())
          .anyMatch(text -> text.contains("GPU 7 was given and is not used"));
    }
    assertThat(executors).isPositive();
    Map<String, byte[]> result = here.result("here");
    assertThat(here.result("there")).containsOnlyKeys(result.keySet());
    assertThat(here.result("there").get("adapter_model.safetensors"))
        .isEqualTo(result.get("adapter_model.safetensors"));
    assertThat(here.metrics("there")).isEqualTo(here.metrics("here"));
  }

  /** SIGTERM: the step ends, its checkpoint is written, and another driver goes on from it. */
  @Test
  void aSignalSavesACheckpoint() throws Exception {
    Process driver = driver("local[2]", "signal.log", "max-steps=2000", "save-steps=2000");
    StandaloneCluster.await(
        () -> read("signal.log").contains("steps,"), Duration.ofMinutes(2), "a step");
    driver.destroy();
    assertThat(driver.waitFor(1, TimeUnit.MINUTES)).isTrue();
    try (Stream<Path> files = Files.list(folder.resolve("out-there"))) {
      assertThat(files.filter(file -> Files.exists(file.resolve("manifest.json"))))
          .as(read("signal.log"))
          .hasSize(1);
    }
  }

  /** Workers that say they have a GPU. */
  private Map<String, String> gpus() throws IOException {
    Path script =
        Files.writeString(
            folder.resolve("gpus"),
            "#!/bin/sh\necho '{\"name\": \"gpu\", \"addresses\": [\"7\"]}'\n");
    assertThat(script.toFile().setExecutable(true)).isTrue();
    return Map.of(
        "spark.worker.resource.gpu.amount",
        "1",
        "spark.worker.resource.gpu.discoveryScript",
        script.toString());
  }

  /**
   * One folder of links to the jars: a command line of over 4,096 characters does not show its main
   * class, by which {@link StandaloneCluster#executors} knows an executor.
   */
  private String executorClassPath() throws IOException {
    Path links = folder.resolve("lib");
    List<String> entries = new ArrayList<>(List.of(links + "/*"));
    if (!Files.exists(links)) {
      Files.createDirectory(links);
    }
    Stream<String> ours =
        Arrays.stream(StandaloneCluster.testClassPath().split(File.pathSeparator));
    Stream<String> students =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(entry -> STUDENT.stream().anyMatch(entry::contains));
    for (String entry : Stream.concat(ours, students).distinct().toList()) {
      Path path = Path.of(entry);
      if (Files.isDirectory(path)) {
        entries.add(entry);
      } else if (!Files.exists(links.resolve(path.getFileName()))) {
        Files.createSymbolicLink(links.resolve(path.getFileName()), path);
      }
    }
    return String.join(File.pathSeparator, entries);
  }

  private String read(String log) {
    try {
      Path file = folder.resolve(log);
      return Files.exists(file) ? Files.readString(file) : "";
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  /** The newest checkpoint's step, once it is a later one. */
  private int awaitCheckpointAfter(int step, Process driver, String log) {
    StandaloneCluster.await(
        () -> newestCheckpoint() > step || !driver.isAlive(),
        Duration.ofMinutes(2),
        "a checkpoint after step " + step);
    assertThat(driver.isAlive()).as(read(log)).isTrue();
    return newestCheckpoint();
  }

  private int newestCheckpoint() {
    String[] names = folder.resolve("out-there").toFile().list();
    return Arrays.stream(names == null ? new String[0] : names)
        .filter(name -> name.matches("checkpoint-\\d+"))
        .filter(
            name ->
                Files.exists(folder.resolve("out-there").resolve(name).resolve("manifest.json")))
        .mapToInt(name -> Integer.parseInt(name.substring("checkpoint-".length())))
        .max()
        .orElse(0);
  }

  private Process driver(StandaloneCluster cluster, String log, String... options)
      throws Exception {
    return driver(cluster.masterUrl(), log, options);
  }

  private Process driver(String master, String log, String... options) throws Exception {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Heap, opened packages and the Vector API as in this JVM.
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("-X") || argument.startsWith("--add"))
        .forEach(command::add);
    String executors = executorClassPath();
    Map.of(
            "spark.master", master,
            "spark.executor.memory", "512m",
            "spark.executor.extraClassPath", executors,
            "spark.driver.host", "127.0.0.1",
            "spark.driver.bindAddress", "127.0.0.1",
            "spark.ui.enabled", "false",
            "spark.sql.session.timeZone", "UTC",
            "spark.speculation", "false",
            "spark.sql.artifact.isolation.enabled", "false")
        .forEach((name, value) -> command.add("-D" + name + "=" + value));
    if (!master.startsWith("local")) {
      command.add("-Dspark.executor.resource.gpu.amount=1");
    }
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(TrainingDriver.class.getName(), folder.toString(), "there"));
    command.addAll(List.of(options));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(folder.resolve(log).toFile());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder.start();
  }
}
