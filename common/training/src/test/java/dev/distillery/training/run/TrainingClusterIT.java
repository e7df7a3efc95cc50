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
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two executor JVMs and a driver of its own against one process. */
@Timeout(value = 10, unit = TimeUnit.MINUTES)
class TrainingClusterIT {
  /** What the student needs and Spark's distribution does not have, by parts of the paths. */
  private static final List<String> STUDENT =
      List.of("/nd4j/", "/bytedeco/", "/byteunits/", "/oshi/", "/jna/", "/threeten/", "/ericaro/");

  @TempDir Path folder;

  /** A killed executor, a killed driver and another number of workers change no bit. */
  @Test
  void executorsThatDieAndADriverThatDiesGiveTheBitsOfOneProcess() throws Exception {
    TinyTraining here = TrainingDriver.tiny(LocalSpark.session(), folder);
    here.run("here");
    try (StandaloneCluster cluster = StandaloneCluster.start(2, 2)) {
      Process first = driver(cluster, "first.log");
      awaitCheckpoint(3, first, "first.log");
      cluster.executors().get(0).destroyForcibly();
      awaitCheckpoint(6, first, "first.log");
      first.destroyForcibly().waitFor();
      assertThat(here.output("there").resolve("adapter_config.json")).doesNotExist();

      Process second = driver(cluster, "second.log", "workers=3");
      assertThat(second.waitFor(5, TimeUnit.MINUTES)).isTrue();
      String log = Files.readString(folder.resolve("second.log"));
      assertThat(second.exitValue()).as(log).isZero();
      assertThat(log).contains("Goes on from the checkpoint of step");
    }
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

  private void awaitCheckpoint(int step, Process driver, String log) {
    Path manifest = folder.resolve("out-there/checkpoint-" + step + "/manifest.json");
    StandaloneCluster.await(
        () -> Files.exists(manifest) || !driver.isAlive(),
        Duration.ofMinutes(2),
        "checkpoint " + step);
    assertThat(driver.isAlive()).as(read(log)).isTrue();
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
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(TrainingDriver.class.getName(), folder.toString(), "there"));
    command.addAll(List.of(options));
    var builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.redirectOutput(folder.resolve(log).toFile());
    builder.environment().put("SPARK_LOCAL_IP", "127.0.0.1");
    return builder.start();
  }
}
