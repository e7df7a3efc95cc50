package dev.distillery.spark.job;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import java.io.FileNotFoundException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileAlreadyExistsException;
import org.apache.hadoop.fs.ParentNotDirectoryException;

/** Troubles with files and stores that no defect of ours is behind, in a user's words. */
final class Troubles {
  /** Causes that are followed; a chain may lead back into itself. */
  private static final int MOST_CAUSES = 50;

  /** Spark's words, of all versions, for a file of a table that a task cannot read on. */
  private static final Pattern UNREADABLE =
      Pattern.compile("error while reading file (\\S.*?)\\.?(?:\\s+(?:SQLSTATE|Details).*)?$");

  /** Lines of a stack that tell where a failure is from. */
  private static final int FRAMES = 4;

  private Troubles() {}

  /** What a failure says to the user, where it is such a trouble. */
  static Optional<JobException> in(Throwable failure) {
    // The deepest says it in the fewest words.
    Optional<JobException> deepest = Optional.empty();
    // Damage is said so only where no cause around it names the file.
    Optional<JobException> unnamed = Optional.empty();
    int depth = 0;
    for (Throwable at = failure; at != null && depth < MOST_CAUSES; at = at.getCause()) {
      Optional<JobException> known = of(at);
      deepest = known.isPresent() ? known : deepest;
      unnamed = ofParquet(at) ? Optional.of(damagedParquet(at)) : unnamed;
      depth++;
    }
    return deepest.isPresent() ? deepest : unnamed;
  }

  private static Optional<JobException> of(Throwable e) {
    String message = firstLine(e);
    String lower = message.toLowerCase(Locale.ROOT);
    if (lower.contains("no space left on device") || lower.contains("disk quota exceeded")) {
      return Optional.of(
          new JobException(
              ExitCode.TEMPORARY,
              "The disk is full ("
                  + message
                  + "): free some of it, or move Spark's own files by -- --conf"
                  + " spark.local.dir=DIR"));
    }
    if (e instanceof AccessDeniedException
        || e.getClass().getSimpleName().equals("AccessControlException")
        || lower.contains("permission denied")
        || lower.contains("(403")
        || lower.startsWith("mkdirs failed to create")) {
      return Optional.of(
          JobException.invalid(
              "This user may not read or write there: "
                  + message
                  + "; give the right, or name another folder or --warehouse"));
    }
    if (e instanceof ParentNotDirectoryException
        || e instanceof FileAlreadyExistsException
        || e instanceof java.nio.file.FileAlreadyExistsException
        || lower.contains("not a directory")) {
      return Optional.of(
          JobException.invalid(
              "A file is where a folder should be: " + message + "; name another --warehouse"));
    }
    if (e instanceof SocketException
        || e instanceof SocketTimeoutException
        || e instanceof UnknownHostException
        || unreachableStore(e)) {
      return Optional.of(
          new JobException(
              ExitCode.TEMPORARY,
              "A store or server does not answer: "
                  + message
                  + "; look whether it is up and its address is right, then give the run id"
                  + " again"));
    }
    if (lower.contains("outofmemoryerror") || refusedByEndingExecutor(lower)) {
      return Optional.of(
          new JobException(
              ExitCode.UNEXPECTED,
              "An executor ended under its task, for lack of memory as it seems ("
                  + message
                  + "); give it more: -- --conf spark.executor.memory=8g, or in a local session"
                  + " --driver-memory 8g"));
    }
    Matcher unreadable = UNREADABLE.matcher(message);
    if (unreadable.find()) {
      return Optional.of(
          JobException.invalid(
              "Cannot read "
                  + unreadable.group(1).replaceFirst("^file:/*", "/")
                  + " to its end: it is damaged, as it seems ("
                  + deepestWords(e)
                  + "); fetch or write it again, or leave it out"));
    }
    if (e instanceof FileSystemException) {
      // A file system that is read-only, a path that cannot be: the message says which.
      return Optional.of(
          JobException.invalid(
              "Cannot read or write there: "
                  + message
                  + "; look at the path, or name another --warehouse"));
    }
    return e instanceof FileNotFoundException
        ? Optional.of(
            JobException.invalid(
                "A file that was there is gone, or cannot be read: "
                    + message
                    + "; is something else writing there?"))
        : Optional.empty();
  }

  /** Damage that was met outside the loop which knows the file's name. */
  private static JobException damagedParquet(Throwable e) {
    return JobException.invalid(
        "Cannot read a Parquet file of the input to its end: one is damaged, as it seems ("
            + firstLine(e)
            + "); give the files one by one to find it, then fetch or write it again");
  }

  /** Whether the lines that read Parquet threw it. */
  private static boolean ofParquet(Throwable e) {
    if (!(e instanceof RuntimeException)) {
      return false;
    }
    StackTraceElement[] trace = e.getStackTrace();
    return Arrays.stream(trace, 0, Math.min(trace.length, FRAMES))
        .anyMatch(
            frame ->
                frame.getClassName().startsWith("org.apache.parquet.")
                    || frame.getClassName().contains(".datasources.parquet."));
  }

  private static String deepestWords(Throwable e) {
    Throwable deepest = e;
    for (int i = 0; i < MOST_CAUSES && deepest.getCause() != null; i++) {
      deepest = deepest.getCause();
    }
    return firstLine(deepest);
  }

  private static String firstLine(Throwable e) {
    return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
  }

  /** What Spark says of the tasks that follow the one that took the memory. */
  private static boolean refusedByEndingExecutor(String message) {
    return message.contains("executor$taskrunner") && message.contains("rejected from");
  }

  /** By name: the clients of object stores are not on every class path. */
  private static boolean unreachableStore(Throwable e) {
    return switch (e.getClass().getSimpleName()) {
      case "SdkClientException",
          "AWSServiceThrottledException",
          "AWSStatus500Exception",
          "AWSServiceIOException",
          "AWSClientIOException",
          "RetriableException",
          "StandbyException",
          "SafeModeException" ->
          true;
      default -> false;
    };
  }
}
