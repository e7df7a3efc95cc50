package dev.distillery.spark.fanout;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.RunStop;
import dev.distillery.spark.job.SparkLabel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/**
 * A run's way to its teacher. Open it once a run, ask as often as need be, close it.
 *
 * <pre>{@code
 * try (Fanout fanout = Fanout.open(spark, spec, key)) {
 *   List<Completion> replies = fanout.ask(requests);
 * }
 * }</pre>
 *
 * <p>Whatever is answered is in the run's ledger as soon as its writer is free; a run that is
 * opened again takes its answers from there and asks only for the rest. Where the run must stop,
 * the call ends with a {@link JobException} that says why and with which exit code; the ledger
 * stays.
 *
 * <p>A run belongs to one driver at a time. Not safe for use by several threads.
 */
public final class Fanout implements AutoCloseable {
  private static final DateTimeFormatter ATTEMPT =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmssSSS", Locale.ROOT).withZone(ZoneOffset.UTC);
  private static final FanoutStop LEASE_LOST =
      new FanoutStop(
          ExitCode.TEMPORARY,
          "This driver is not sure any more that the run is its own, so nothing more is sent; what"
              + " came is in the ledger: run the same command again");

  private static final int LEAST_REQUESTS_A_TASK = 4;
  private static final int MOST_REQUESTS_A_TASK = 5000;

  private final SparkSession spark;
  private final FanoutSpec spec;
  private final FanoutDriver driver;
  private final OpenRun run;
  private final String folder;
  private final String attempt;
  private final LedgerReader.Past past;
  private final @Nullable Dataset<Row> earlier;
  private final SerializableConfiguration configuration;
  private @Nullable Dataset<Row> paid;
  private boolean allAnswered;
  private int calls;
  private long resumed;
  private long reused;
  private OptionalLong asked = OptionalLong.empty();
  private @Nullable RunStop told;
  private RunStop.@Nullable Part part;

  private Fanout(
      SparkSession spark,
      FanoutSpec spec,
      FanoutDriver driver,
      Secret key,
      LedgerReader.Past past,
      @Nullable Dataset<Row> earlier)
      throws IOException {
    this.spark = spark;
    this.spec = spec;
    this.driver = driver;
    this.past = past;
    this.earlier = earlier;
    this.attempt = ATTEMPT.format(Instant.now());
    Path path = runFolder(spec);
    this.folder = path.toString();
    Configuration hadoop = spark.sessionState().newHadoopConf();
    this.configuration = new SerializableConfiguration(hadoop);
    this.run =
        new OpenRun(
            spec,
            key,
            new RunBook(spec.limits(), spec.price(), past.spent(), Fanout::clockMillis),
            new GrantLog(LedgerFiles.fileSystem(path, hadoop), path, attempt));
    run.book().raiseWorstCases(past.overrun());
    if (spec.settings().server().isPresent()) {
      run.book().letTheFirstGoAlone();
    }
  }

  /**
   * Opens a run; resumes it where its ledger exists.
   *
   * @param key the teacher's key, or {@link Secret#NONE}
   * @throws JobException where the session lacks the plugin, speculation is on, a cost limit has no
   *     price, or the run is open already
   */
  public static Fanout open(SparkSession spark, FanoutSpec spec, Secret key) {
    FanoutDriver driver = checkSession(spark);
    checkLimits(spec.limits(), spec.price(), spec.settings().model());
    var reader = new LedgerReader(spark, runFolder(spec));
    boolean resumes = reader.exists();
    try {
      if (resumes) {
        LedgerFiles.endOpenFiles(runFolder(spec), spark.sessionState().newHadoopConf());
      }
      var fanout =
          new Fanout(
              spark,
              spec,
              driver,
              key,
              resumes ? reader.past() : LedgerReader.Past.NONE,
              resumes ? reader.entries().persist(StorageLevel.MEMORY_AND_DISK()) : null);
      driver.open(fanout.run);
      return fanout;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The session's driver plugin, in a session in which requests can be sent. */
  static FanoutDriver checkSession(SparkSession spark) {
    FanoutDriver driver = FanoutDriver.current();
    if (spark.sparkContext().getConf().getBoolean("spark.speculation", false)) {
      throw JobException.invalid(
          "With spark.speculation=true requests would be paid twice: set it to false");
    }
    return driver;
  }

  /** Refuses a limit of cost where nobody has said what the model costs. */
  static void checkLimits(FanoutLimits limits, Optional<Price> price, String model) {
    if (limits.maxCostUsd().isPresent() && price.isEmpty()) {
      throw JobException.invalid(
          "Option --max-cost-usd: the model '"
              + model
              + "' has no price, so its cost cannot be limited; give it one in conf/prices.yaml");
    }
  }

  /**
   * Takes replies of other runs for requests that {@link #ask(List)} would send. What is taken
   * becomes part of this run's ledger, costs it nothing, and is found there when it goes on.
   *
   * @param completions as {@link PaidReplies#of} gives them
   */
  public void reuse(Dataset<Row> completions) {
    paid = completions.persist(StorageLevel.MEMORY_AND_DISK());
  }

  /** Replies of other runs that this attempt has taken. */
  public long reused() {
    return reused;
  }

  /**
   * Asks for a small set of requests, such as a round, and brings the ends back to the driver. A
   * set whose every request has an end in the ledger is taken from there as it is, failures
   * included; in one that was left half way, failures that may pass are tried again.
   *
   * @param requests with different ids
   * @return the ends in the requests' order
   * @throws JobException where the run must stop
   */
  public List<Completion> ask(List<TeacherRequest> requests) {
    Map<String, Completion> ends = earlierEnds(requests);
    if (ends.size() < requests.size()) {
      ends.values().removeIf(Completion::failedForNow);
    }
    Map<String, Completion> taken = paidEnds(requests, ends);
    ends.putAll(taken);
    resumed += ends.size() - taken.size();
    reused += taken.size();
    run.book().resume(ends.size(), ends.values().stream().filter(end -> !end.ok()).count());
    List<String> open =
        requests.stream()
            .filter(request -> !ends.containsKey(request.requestId()))
            .map(RequestCodec::toJson)
            .toList();
    if (!open.isEmpty()) {
      int slices =
          Math.min(
              FanoutWidth.of(
                  spark.sparkContext().getConf(),
                  spark.sparkContext().defaultParallelism(),
                  spec.limits().concurrency()),
              (open.size() + LEAST_REQUESTS_A_TASK - 1) / LEAST_REQUESTS_A_TASK);
      JavaRDD<String> rdd =
          JavaSparkContext.fromSparkContext(spark.sparkContext()).parallelize(open, slices);
      for (String line : runTasks(rdd, open.size(), true)) {
        Ledger.fromJson(line).ifPresent(end -> ends.put(end.requestId(), end));
      }
    }
    throwIfStopped();
    var ordered = new ArrayList<Completion>(requests.size());
    for (TeacherRequest request : requests) {
      Completion end = ends.get(request.requestId());
      if (end == null) {
        throw new IllegalStateException("Request " + request.requestId() + " has no end");
      }
      ordered.add(end);
    }
    return ordered;
  }

  /**
   * Asks for a set of requests of any size; their ends go into the ledger. Requests that have an
   * end there are not asked again, but for failures that may pass.
   *
   * @param requests one a row, as {@link RequestCodec} writes them; with different ids, and the
   *     same whenever it is computed
   * @throws JobException where the run must stop
   */
  public void ask(Dataset<String> requests, Progress progress) {
    Dataset<Row> byId = byId(requests);
    Dataset<Row> open =
        earlier == null
            ? byId
            : byId.join(
                earlier.where("not failed_for_now"), new String[] {"request_id"}, "left_anti");
    long total = requests.count();
    long left = earlier == null ? total : open.count();
    resumed += total - left;
    asked = OptionalLong.of(total);
    run.book().expect(total);
    if (left < total) {
      run.book().resume(total - left, failedForGood(byId));
    }
    int slots =
        FanoutWidth.of(
            spark.sparkContext().getConf(),
            spark.sparkContext().defaultParallelism(),
            spec.limits().concurrency());
    int partitions =
        (int)
            Math.max(
                Math.min(slots, (left + LEAST_REQUESTS_A_TASK - 1) / LEAST_REQUESTS_A_TASK),
                (left + MOST_REQUESTS_A_TASK - 1) / MOST_REQUESTS_A_TASK);
    if (left > 0 && stopped().isEmpty()) {
      // By id and not in turns, so that a task that is run again has the same requests.
      JavaRDD<String> rdd =
          open.repartition(partitions, functions.col("request_id"))
              .select("value")
              .as(Encoders.STRING())
              .javaRDD();
      progress.start("ask", "requests", OptionalLong.of(total), resumed);
      ScheduledExecutorService ticker =
          ticker(() -> progress.update(resumed + done(), detail(total)));
      try {
        runTasks(rdd, left, false);
      } finally {
        ticker.shutdownNow();
      }
      progress.finish(resumed + done(), detail(total));
    }
    throwIfStopped();
  }

  /** The table {@code completions} of the run: one row for each request that came to an end. */
  public Dataset<Row> completions() {
    return LedgerReader.onePerRequest(entries())
        .drop("lost_attempts", "billed_tokens", "failed_for_now", "line");
  }

  /** Every line of the run's ledger, those of a request that was answered twice included. */
  Dataset<Row> entries() {
    return new LedgerReader(spark, new Path(folder)).entries();
  }

  /**
   * As {@link #completions()}, of these requests only: those of {@link #ask(Dataset, Progress)}.
   */
  public Dataset<Row> completions(Dataset<String> requests) {
    return completions().join(byId(requests), new String[] {"request_id"}, "left_semi");
  }

  /** What the run has done and used so far, earlier attempts included. */
  public FanoutFigures figures() {
    RunBook.Snapshot now = run.book().snapshot();
    return new FanoutFigures(
        resumed,
        now.done() - now.failed(),
        now.failed(),
        past.lost().requests() + now.lost(),
        now.spent().requests(),
        now.spent().tokens(),
        spec.price().map(price -> now.spent().usd()),
        spec.price().map(price -> past.lost().usd()));
  }

  /**
   * Stops the run as soon as its driver is not sure to have it, or it is told to end. Then what is
   * in flight is waited for, at most for the time of grace.
   */
  void follow(JobRun owner) {
    RunStop stop = owner.stop();
    told = stop;
    part = stop.endsItself();
    run.book()
        .stopWhen(
            () -> {
              if (stop.requested()) {
                return Optional.of(
                    new FanoutStop(ExitCode.TEMPORARY, stop.words(), stop.expired()));
              }
              return owner.isSurelyOurs() ? Optional.empty() : Optional.of(LEASE_LOST);
            });
  }

  /** Why the run stopped, where a call has ended so. */
  public Optional<FanoutStop> stopped() {
    Optional<FanoutStop> stop = run.book().stopped();
    boolean byOrder =
        stop.isPresent()
            && told != null
            && told.requested()
            && stop.get().message().equals(told.words());
    return byOrder
        ? Optional.of(new FanoutStop(stop.get().exitCode(), soFar(stop.get().message())))
        : stop;
  }

  /** How far the run has come, for whoever goes on with it. */
  private String soFar(String why) {
    FanoutFigures now = figures();
    String all = asked.isPresent() ? " of " + asked.getAsLong() : "";
    long givenUp = run.book().snapshot().lost();
    return why
        + ": "
        + (now.resumed() + now.answered())
        + all
        + " requests are answered and in the ledger"
        + (now.failed() > 0 ? ", " + now.failed() + " failed" : "")
        + (givenUp > 0 ? ", " + givenUp + " in flight were given up" : "")
        + "; give the run id "
        + spec.runId()
        + " again to go on";
  }

  /** Ends the run's asking; what is in the ledger stays, in fewer files where all is answered. */
  @Override
  public void close() {
    if (earlier != null) {
      earlier.unpersist();
    }
    if (paid != null) {
      paid.unpersist();
    }
    driver.close(run);
    if (allAnswered) {
      mergeLedger();
    }
    if (part != null) {
      part.close();
    }
  }

  /** Small files are merged; where that fails, they stay as they are. */
  private void mergeLedger() {
    try (var label = SparkLabel.of(spark.sparkContext(), spec.runId(), "merge the ledger")) {
      var path = new Path(folder);
      new LedgerMerge(LedgerFiles.fileSystem(path, configuration.value()), path)
          .merge(
              JavaSparkContext.fromSparkContext(spark.sparkContext()),
              configuration,
              attempt,
              !run.book().aLaneDied());
    } catch (IOException | RuntimeException e) {
      LoggerFactory.getLogger(Fanout.class).warn("The ledger keeps its small files", e);
    }
  }

  private List<String> runTasks(JavaRDD<String> requests, long count, boolean giveBack) {
    calls++;
    allAnswered = false;
    String description =
        String.format(
            Locale.ROOT,
            "ask %s %s for %d requests, %d at once, run %s",
            spec.settings().kind(),
            spec.settings().model(),
            count,
            spec.limits().concurrency(),
            spec.runId());
    try (var label = SparkLabel.of(spark.sparkContext(), spec.runId(), description)) {
      return requests
          .mapPartitionsWithIndex(
              new FanoutTask(spec.runId(), folder, attempt, calls, giveBack, configuration), true)
          .collect();
    } catch (RuntimeException e) {
      if (stopped().isPresent()) {
        // A task that cannot go on has told the driver why; that is the reason to be shown.
        return List.of();
      }
      throw e;
    } finally {
      run.book().giveUpAll();
    }
  }

  private static Dataset<Row> byId(Dataset<String> requests) {
    return requests.select(
        functions.get_json_object(functions.col("value"), "$.request_id").as("request_id"),
        functions.col("value"));
  }

  /** How many of the requests have failed in earlier attempts, and are not asked again. */
  private long failedForGood(Dataset<Row> byId) {
    Dataset<Row> failures =
        LedgerReader.onePerRequest(java.util.Objects.requireNonNull(earlier))
            .where("status = 'failed' and not failed_for_now");
    return failures
        .join(byId.select("request_id"), new String[] {"request_id"}, "left_semi")
        .count();
  }

  private Map<String, Completion> earlierEnds(List<TeacherRequest> requests) {
    var ends = new HashMap<String, Completion>();
    if (earlier != null) {
      Object[] ids = requests.stream().map(TeacherRequest::requestId).toArray();
      Dataset<Row> found = earlier.where(functions.col("request_id").isin(ids));
      for (Row row : LedgerReader.onePerRequest(found).select("line").collectAsList()) {
        Ledger.fromJson(row.getString(0)).ifPresent(end -> ends.put(end.requestId(), end));
      }
    }
    return ends;
  }

  /**
   * What other runs have paid for and this one lacks; durable in the ledger when it is returned.
   */
  private Map<String, Completion> paidEnds(
      List<TeacherRequest> requests, Map<String, Completion> ends) {
    var taken = new HashMap<String, Completion>();
    Object[] missing =
        requests.stream()
            .map(TeacherRequest::requestId)
            .filter(id -> !ends.containsKey(id))
            .toArray();
    if (paid == null || missing.length == 0 || stopped().isPresent()) {
      return taken;
    }
    for (Row row : paid.where(functions.col("request_id").isin(missing)).collectAsList()) {
      Completion reply = PaidReplies.completion(row);
      taken.put(reply.requestId(), reply);
    }
    if (!taken.isEmpty()) {
      calls++;
      Path place = new Path(folder, attempt + "-" + calls + "-reused");
      try {
        FileSystem files = LedgerFiles.fileSystem(place, configuration.value());
        LedgerWriter.Sink sink = LedgerFiles.sink(files, place, "0-0");
        sink.put(taken.values().stream().map(Ledger::toJson).toList());
        sink.close();
      } catch (IOException e) {
        throw new JobException(
            ExitCode.TEMPORARY, "The ledger cannot be written: " + e.getMessage(), e);
      }
    }
    return taken;
  }

  private void throwIfStopped() {
    Optional<FanoutStop> stop = stopped();
    if (stop.isPresent()) {
      throw new JobException(stop.get().exitCode(), stop.get().message());
    }
    allAnswered = true;
  }

  private long done() {
    return run.book().snapshot().done();
  }

  /**
   * Errors, tokens and cost as a progress line shows them; of a model that writes in this process
   * also how far it is.
   *
   * @param total requests of the run, for the projected cost; 0 where it is not known
   */
  public String detail(long total) {
    // In steps, so that a log has a line now and then and not every two seconds.
    long written = SharedTeachers.tokensInFlight();
    long writing = written - written % (written < 100 ? 10 : 100);
    return figures().detail(total) + (writing == 0 ? "" : ", writing: " + writing + " tokens");
  }

  private static Path runFolder(FanoutSpec spec) {
    return new Path(spec.ledger(), spec.runId());
  }

  private static long clockMillis() {
    return TimeUnit.NANOSECONDS.toMillis(System.nanoTime());
  }

  private static ScheduledExecutorService ticker(Runnable tick) {
    ScheduledExecutorService ticker =
        Executors.newSingleThreadScheduledExecutor(
            runnable -> {
              var daemon = new Thread(runnable, "distillery-progress");
              daemon.setDaemon(true);
              return daemon;
            });
    var unused = ticker.scheduleWithFixedDelay(tick, 500, 500, TimeUnit.MILLISECONDS);
    return ticker;
  }
}
