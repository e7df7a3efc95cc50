package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.Teacher;
import dev.distillery.core.teacher.TeacherRequest;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.StreamSupport;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.Function2;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Asks for the requests of one partition. A second attempt at it first reads what the attempts
 * before it brought into the ledger, and asks only for the rest.
 */
final class FanoutTask implements Function2<Integer, Iterator<String>, Iterator<String>> {
  private static final long serialVersionUID = 1L;

  private final String run;
  private final String folder;
  private final String attempt;
  private final int call;
  private final boolean giveBack;
  private final SerializableConfiguration configuration;

  /**
   * @param run the run's id
   * @param folder URI of the run's ledger
   * @param attempt name of this attempt at the run; no other has it
   * @param call number of this call in the attempt
   * @param giveBack whether the completions themselves are the task's result, as lines of the
   *     ledger
   */
  FanoutTask(
      String run,
      String folder,
      String attempt,
      int call,
      boolean giveBack,
      SerializableConfiguration configuration) {
    this.run = run;
    this.folder = folder;
    this.attempt = attempt;
    this.call = call;
    this.giveBack = giveBack;
    this.configuration = configuration;
  }

  @Override
  public Iterator<String> call(Integer partition, Iterator<String> requests) throws Exception {
    FanoutExecutor executor = FanoutExecutor.current();
    TaskContext context = TaskContext.get();
    String place = attempt + "-" + call + "-" + partition;
    String tried = context.stageAttemptNumber() + "-" + context.attemptNumber();
    var path = new Path(folder, place);
    FileSystem fileSystem = LedgerFiles.fileSystem(path, configuration.value());
    var results = new ArrayList<String>();
    Set<String> answered =
        tried.equals("0-0") ? Set.of() : answeredBefore(fileSystem, path, results);
    String lane = place + "-" + tried;
    Wire.Welcome welcome =
        executor.ask(Wire.Welcome.class, new Wire.Join(run, lane, place, executor.executorId()));
    SharedTeachers.Held held;
    try {
      var asker = new SharedTeachers.Asker(folder, attempt);
      held = SharedTeachers.hold(asker, welcome.settings(), Secret.of(welcome.key()));
    } catch (IllegalArgumentException e) {
      executor.ask(
          Boolean.class,
          new Wire.Abort(run, new FanoutStop(ExitCode.INVALID, String.valueOf(e.getMessage()))));
      return results.iterator();
    }
    var ledger = new LedgerWriter(lane, LedgerFiles.sink(fileSystem, path, tried));
    Iterator<TeacherRequest> left =
        StreamSupport.stream(((Iterable<String>) () -> requests).spliterator(), false)
            .map(RequestCodec::fromJson)
            .filter(request -> !answered.contains(request.requestId()))
            .iterator();
    ExecutorService exchanger =
        Executors.newSingleThreadExecutor(
            runnable -> {
              var thread = new Thread(runnable, "distillery-exchange-" + lane);
              thread.setDaemon(true);
              return thread;
            });
    Consumer<Completion> sink =
        completion -> {
          if (giveBack) {
            results.add(Ledger.toJson(completion));
          }
        };
    try (held) {
      Teacher teacher = held.teacher();
      var book = new LaneBook(run, lane, teacher.maxConcurrency(), welcome, left);
      new Lane(
              book,
              driver(executor, context, exchanger),
              teacher,
              ledger,
              unsent -> GrantLog.putUnsent(fileSystem, new Path(folder), lane, unsent),
              sink,
              Lane.Clocks.SYSTEM)
          .run();
    } finally {
      exchanger.shutdown();
    }
    return results.iterator();
  }

  /** Ids that earlier attempts at this partition have brought to an end. */
  private Set<String> answeredBefore(FileSystem fileSystem, Path path, List<String> results)
      throws IOException {
    var answered = new HashSet<String>();
    LedgerFiles.endOpenFiles(path, configuration.value());
    FileStatus[] objects;
    try {
      objects = fileSystem.listStatus(path);
    } catch (FileNotFoundException e) {
      return answered;
    }
    for (FileStatus object : objects) {
      for (String line : LedgerFiles.lines(fileSystem, object.getPath())) {
        Ledger.fromJson(line)
            .filter(completion -> answered.add(completion.requestId()))
            .filter(completion -> giveBack)
            .ifPresent(completion -> results.add(line));
      }
    }
    return answered;
  }

  private static Lane.Driver driver(
      FanoutExecutor executor, TaskContext context, ExecutorService exchanger) {
    return new Lane.Driver() {
      @Override
      public CompletableFuture<Wire.Answer> exchange(Wire.Exchange message) {
        return CompletableFuture.supplyAsync(
            () -> executor.ask(Wire.Answer.class, message), exchanger);
      }

      @Override
      public boolean cancelled() {
        return context.isInterrupted();
      }
    };
  }
}
