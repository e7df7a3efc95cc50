package dev.distillery.cli;

import dev.distillery.core.run.Command;
import dev.distillery.core.run.ExitCode;
import java.io.PrintStream;

/** A command that is no job: it looks and prints, and leaves no run behind. */
interface PlainCommand<O extends Record> extends Command<O> {
  /** Prints what was asked for. */
  ExitCode run(O options, PrintStream out);
}
