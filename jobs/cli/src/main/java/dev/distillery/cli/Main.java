package dev.distillery.cli;

import dev.distillery.core.run.ProgressListener;
import dev.distillery.spark.job.ProcessStop;
import java.time.Clock;

/** The class that is submitted. */
public final class Main {
  private Main() {}

  /**
   * Runs one command and ends the process with its exit code.
   *
   * <p>A cluster's own process may take {@code System.exit} for a failure, so there a finished job
   * returns instead.
   */
  public static void main(String[] args) {
    Signals.handle(args.length == 0 ? "" : args[0], ProcessStop.PROCESS, System.err);
    int code =
        new CommandLineTool(
                System.out, System.err, ProgressListener.standardError(), Clock.systemUTC())
            .run(args);
    System.out.flush();
    System.err.flush();
    if (ProcessStop.PROCESS.goingDown()) {
      Runtime.getRuntime().halt(code);
    }
    boolean clusterMode = "cluster".equals(System.getProperty("spark.submit.deployMode"));
    if (code != 0 || !clusterMode) {
      // Also where all is well: a native library may have left a thread that keeps the process
      // alive.
      System.exit(code);
    }
  }
}
