package dev.distillery.model.nn;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own with the test's class path, as an executor's is. */
public final class ChildJvm implements AutoCloseable {
  private static final long SECONDS = 120;

  private final Process process;

  /** What it printed, both streams, and how it ended. */
  public record Outcome(int exitCode, String output) {}

  private ChildJvm(Process process) {
    this.process = process;
  }

  /**
   * Starts one.
   *
   * @param first directories or jars before the test's class path
   * @param options options of the JVM
   */
  public static ChildJvm start(List<Path> first, List<String> options, Class<?> main)
      throws IOException {
    StringBuilder classPath = new StringBuilder();
    first.forEach(path -> classPath.append(path).append(java.io.File.pathSeparator));
    classPath.append(System.getProperty("java.class.path"));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(options);
    command.addAll(List.of("-cp", classPath.toString(), main.getName()));
    return new ChildJvm(new ProcessBuilder(command).redirectErrorStream(true).start());
  }

  /** Waits for its end. */
  public Outcome outcome() throws IOException, InterruptedException {
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("Still runs after " + SECONDS + " s: " + output);
    }
    return new Outcome(process.exitValue(), output);
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }
}
