package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.Warehouse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class RunStopTest {
  private final SparkSession spark = LocalSpark.session();
  private final ProcessStop process = new ProcessStop();
  private final CountDownLatch atWork = new CountDownLatch(1);
  @TempDir Path folder;

  @AfterEach
  void logAgain() {
    spark.sparkContext().setLogLevel("WARN");
  }

  @Test
  void sparksWorkIsBrokenOffAtOnceAndTheRunSaysHowToGoOn() {
    endOnceAtWork(ProcessStop.Cause.SIGTERM);
    assertThatThrownBy(() -> run(this::sleepInATask, Map.of()))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TERMINATED))
        .hasMessageStartingWith("Stopped by SIGTERM before it was done")
        .hasMessageEndingWith("give the run id r1 again to go on");
    assertThat(record().status()).isEqualTo("partial");
    assertThat(record().exitCode()).isEqualTo(143);
  }

  @Test
  void whatTheDriverItselfWaitsForIsInterruptedAndTheRecordIsWritten() {
    endOnceAtWork(ProcessStop.Cause.SIGINT);
    assertThatThrownBy(
            () ->
                run(
                    run -> {
                      atWork.countDown();
                      new CountDownLatch(1).await();
                      return JobRunTest.done(run);
                    },
                    Map.of("exit-on-signal", "75")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
        .hasMessageStartingWith("Stopped by SIGINT (Ctrl-C) before it was done");
    assertThat(record().exitCode()).isEqualTo(75);
    assertThat(Thread.currentThread().isInterrupted()).isFalse();
  }

  @Test
  void aPartThatEndsByItselfKeepsWhatItHas() {
    endOnceAtWork(ProcessStop.Cause.SIGTERM);
    JobRunTest.Counts counts =
        run(
            run -> {
              try (var part = run.stop().endsItself()) {
                atWork.countDown();
                while (!run.stop().requested()) {
                  Thread.onSpinWait();
                }
                // It still has Spark to itself.
                assertThat(spark.range(10).count()).isEqualTo(10);
              }
              // And so has what follows it: time for the watch to look several times.
              Thread.sleep(500);
              assertThat(spark.range(10).count()).isEqualTo(10);
              return Outcome.stopped(ExitCode.TEMPORARY, "Kept", new JobRunTest.Counts(run, 7));
            },
            Map.of("grace", "600"));
    assertThat(counts.kept()).isEqualTo(7);
    assertThat(counts.run().exitCode()).isEqualTo(ExitCode.TERMINATED);
    assertThat(record().exitCode()).isEqualTo(143);
  }

  @Test
  void itIsBrokenOffWhereItOutlastsTheGrace() {
    endOnceAtWork(ProcessStop.Cause.SIGTERM);
    assertThatThrownBy(
            () ->
                run(
                    run -> {
                      try (var part = run.stop().endsItself()) {
                        return sleepInATask(run);
                      }
                    },
                    Map.of("grace", "0")))
        .hasMessageStartingWith("Stopped by SIGTERM before it was done");
  }

  @Test
  void aRunThatIsDoneAllTheSameIsDone() {
    var counts =
        run(
            run -> {
              try (var part = run.stop().endsItself()) {
                process.request(ProcessStop.Cause.SIGTERM);
                return JobRunTest.done(run);
              }
            },
            Map.of());
    assertThat(counts.run().status()).isEqualTo("done");
  }

  @Test
  void aRunThatComesAfterTheSignalEndsToo() {
    process.request(ProcessStop.Cause.SIGTERM);
    assertThatThrownBy(() -> run(this::sleepInATask, Map.of()))
        .hasMessageStartingWith("Stopped by SIGTERM");
  }

  @Test
  void whatDoesNotEndInTimeIsEndedByForceOnce() throws Exception {
    var millis = new AtomicLong();
    var forced = new CompletableFuture<String>();
    process.toldOfSignals(run -> forced.complete(run.runId()));
    try (RunStop stop =
        RunStop.of(process, "r1", Duration.ofSeconds(5), Optional.empty(), () -> {}, millis::get)) {
      process.request(ProcessStop.Cause.SIGTERM);
      assertThat(stop.expired()).isFalse();
      millis.set(5_000);
      assertThat(stop.expired()).isTrue();
      assertThat(stop.overdue()).isFalse();
      millis.set(20_000);
      assertThat(forced.get(10, TimeUnit.SECONDS)).isEqualTo("r1");
    }
  }

  private void endOnceAtWork(ProcessStop.Cause cause) {
    var unused =
        CompletableFuture.runAsync(
            () -> {
              try {
                atWork.await();
              } catch (InterruptedException e) {
                throw new IllegalStateException(e);
              }
              process.request(cause);
            });
  }

  private Outcome<JobRunTest.Counts> sleepInATask(JobRun run) {
    Signal.atWork = atWork;
    new JavaSparkContext(spark.sparkContext())
        .parallelize(List.of(1), 1)
        .foreach(
            number -> {
              Signal.atWork.countDown();
              while (!org.apache.spark.TaskContext.get().isInterrupted()) {
                Thread.onSpinWait();
              }
            });
    return JobRunTest.done(run);
  }

  /** How a task of this JVM tells the test that it is at work. */
  private static final class Signal {
    static volatile CountDownLatch atWork = new CountDownLatch(1);
  }

  private JobRunTest.Counts run(JobRunTest.Body body, Map<String, String> options) {
    var given = new HashMap<>(options);
    given.put("warehouse", folder.toString());
    given.put("run-id", "r1");
    given.put("rows", "0");
    var lists = new HashMap<String, List<String>>();
    given.forEach((name, value) -> lists.put(name, List.of(value)));
    return JobCall.of(
            new JobRunTest.Example("example", null, body),
            OptionsBinder.of(JobRunTest.Options.class).bind(lists))
        .run(spark, update -> {}, process);
  }

  private RunRecord record() {
    return new RunRecords(
            Warehouse.at(folder.toString(), spark.sparkContext().hadoopConfiguration()))
        .find("r1")
        .orElseThrow();
  }
}
