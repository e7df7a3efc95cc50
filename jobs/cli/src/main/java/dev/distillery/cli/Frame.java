package dev.distillery.cli;

import dev.distillery.core.run.ExitCode;
import java.io.PrintStream;

/** How a command says why it ended before its end. */
final class Frame {
  private static final String RULE = "-".repeat(72);

  private Frame() {}

  static void print(PrintStream err, String command, ExitCode code, String message) {
    err.println(RULE);
    err.println("distillery " + command + ": " + message);
    err.println("(exit " + code.code() + ")");
    err.println(RULE);
    err.flush();
  }
}
