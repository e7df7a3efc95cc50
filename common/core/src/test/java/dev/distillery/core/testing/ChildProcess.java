package dev.distillery.core.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A helper process of a test. It ends when it is closed, and by itself when the test's JVM dies in
 * any way: it watches its standard input, which is a pipe of ours.
 */
public final class ChildProcess implements AutoCloseable {
  private final Process process;
  private final BufferedReader out;

  private ChildProcess(Process process) {
    this.process = process;
    this.out = process.inputReader(StandardCharsets.UTF_8);
  }

  /** Starts the command; its standard error goes to the file. */
  public static ChildProcess start(List<String> command, Path stderr) {
    try {
      return new ChildProcess(
          new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.appendTo(stderr.toFile()))
              .start());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start " + command.get(0), e);
    }
  }

  /** Starts a main class on this JVM's own class path. */
  public static ChildProcess java(Class<?> main, List<String> args, Path stderr) {
    var command = new ArrayList<String>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-Xmx512m");
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(args);
    return start(command, stderr);
  }

  /** The rest of the first line on standard output that begins with the word. */
  public String await(String word) {
    try {
      String line = out.readLine();
      while (line != null && !line.startsWith(word + " ")) {
        line = out.readLine();
      }
      if (line == null) {
        throw new IllegalStateException("The process ended before it printed " + word);
      }
      return line.substring(word.length() + 1);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public long pid() {
    return process.pid();
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
