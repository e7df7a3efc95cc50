package dev.distillery.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.teacher.testing.FetchedModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * `submit/distillery` as a user runs it: a process of its own, with what it printed and how it
 * ended.
 */
record Launched(int exitCode, String out, String err) {
  private static final long LONGEST_MINUTES = 8;

  /** Starts the launcher; standard output and error go to the files out and err in the folder. */
  static Process start(Path folder, Map<String, String> environment, String... args) {
    try {
      Files.createDirectories(folder);
      var command = new ArrayList<String>();
      command.add(FetchedModel.root().resolve("submit/distillery").toString());
      command.addAll(List.of(args));
      var builder =
          new ProcessBuilder(command)
              .redirectOutput(folder.resolve("out").toFile())
              .redirectError(folder.resolve("err").toFile());
      builder.environment().remove("SPARK_HOME");
      builder.environment().putAll(environment);
      return builder.start();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Runs the launcher to its end. */
  static Launched run(Path folder, Map<String, String> environment, String... args) {
    Process process = start(folder, environment, args);
    try {
      if (!process.waitFor(LONGEST_MINUTES, TimeUnit.MINUTES)) {
        kill(process);
        throw new AssertionError("Still running: " + Files.readString(folder.resolve("err")));
      }
      return new Launched(
          process.exitValue(),
          Files.readString(folder.resolve("out")),
          Files.readString(folder.resolve("err")));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      kill(process);
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted", e);
    }
  }

  /** Waits until something is so, while the process lives. */
  static void await(BooleanSupplier so, Process process, String what) {
    long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(LONGEST_MINUTES);
    while (!so.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        kill(process);
        throw new AssertionError("There never came " + what);
      }
      try {
        Thread.sleep(50);
      } catch (InterruptedException e) {
        kill(process);
        Thread.currentThread().interrupt();
        throw new IllegalStateException("Interrupted", e);
      }
    }
  }

  /** Ends the process and its children at once, as kill -9 does. */
  static void kill(Process process) {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
  }

  /** The last line of standard output. */
  JsonNode summary() {
    List<String> lines = out.lines().toList();
    assertThat(lines).as("standard output; standard error was:%n%s", err).isNotEmpty();
    try {
      return new ObjectMapper().readTree(lines.get(lines.size() - 1));
    } catch (JsonProcessingException e) {
      throw new AssertionError("The last line is no JSON: " + out, e);
    }
  }

  /** This, if it ended well. */
  Launched succeeded() {
    assertThat(exitCode).as("exit code; standard error was:%n%s", err).isZero();
    return this;
  }
}
