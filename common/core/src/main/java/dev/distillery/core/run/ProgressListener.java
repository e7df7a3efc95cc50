package dev.distillery.core.run;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalLong;

/**
 * Is told how far a job is, one call at a time but from any thread. It should return at once and
 * must not throw.
 */
@FunctionalInterface
public interface ProgressListener {
  /** The longest time between two lines of a phase in a log. */
  Duration RAREST = Duration.ofSeconds(30);

  void update(Update update);

  /**
   * The least time between two updates of a phase; default: 0, as often as a job has them.
   *
   * @param elapsed since the phase began
   */
  default Duration distance(Duration elapsed) {
    return Duration.ZERO;
  }

  /**
   * One thing that a job has to tell.
   *
   * @param job the job's name
   * @param phase what it does; empty for a line that stands by itself
   * @param done units done of the phase
   * @param total units of the phase, where they are known
   * @param unit what is counted
   * @param line all of it as a person reads it, with rate, time left, errors and cost
   */
  record Update(
      String job, String phase, long done, OptionalLong total, String unit, String line) {}

  /** Prints each update as a line behind the job's name. */
  static ProgressListener on(PrintStream out) {
    return update -> {
      out.println("[" + update.job() + "] " + update.line());
      out.flush();
    };
  }

  /**
   * As {@link #on}, for a file that is read later: the longer a phase lasts, the rarer its lines, a
   * tenth of what it lasted, up to 30 seconds.
   */
  static ProgressListener inLog(PrintStream out) {
    ProgressListener lines = on(out);
    return new ProgressListener() {
      @Override
      public void update(Update update) {
        lines.update(update);
      }

      @Override
      public Duration distance(Duration elapsed) {
        Duration tenth = elapsed.dividedBy(10);
        return tenth.compareTo(RAREST) < 0 ? tenth : RAREST;
      }
    };
  }

  /** What the command line uses: {@link #on}, or {@link #inLog} where nobody watches. */
  static ProgressListener standardError() {
    return isTerminal(2) ? on(System.err) : inLog(System.err);
  }

  /**
   * Whether somebody sits at one of the process's streams.
   *
   * @param stream 0, 1 or 2: standard input, output or error
   */
  static boolean isTerminal(int stream) {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/fd/" + stream))
          .toString()
          .matches("/dev/(?:pts/|tty|console).*");
    } catch (IOException | RuntimeException e) {
      // Not Linux: what starts jobs by itself sets no terminal's name.
      return System.getenv("TERM") != null;
    }
  }
}
