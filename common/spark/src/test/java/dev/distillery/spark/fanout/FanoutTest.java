package dev.distillery.spark.fanout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.core.teacher.Price;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.Secret;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherReply;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TeacherSettings;
import dev.distillery.spark.testing.LocalSpark;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(300)
class FanoutTest {
  private static final SparkSession SPARK = LocalSpark.session();

  @TempDir Path ledger;
  private String model = "";
  private MemoryTeacher.Script teacher = new MemoryTeacher.Script();

  @BeforeEach
  void nameTheTeacher(TestInfo test) {
    model = test.getTestMethod().orElseThrow().getName();
    teacher = MemoryTeacher.script(model);
  }

  @Test
  void givesTheEndsInTheRequestsOrder() {
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(8))) {
      List<Completion> ends = fanout.ask(requests(50));

      assertThat(ends).extracting(end -> end.text().orElseThrow()).startsWith("ASK 0", "ASK 1");
      assertThat(ends).hasSize(50).allMatch(Completion::ok);
    }
  }

  @Test
  void asksForNothingThatTheLedgerHas() {
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(8))) {
      fanout.ask(requests(50));
    }
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(8))) {
      List<Completion> ends = fanout.ask(requests(60));

      assertThat(ends).hasSize(60).allMatch(Completion::ok);
      assertThat(fanout.figures().resumed()).isEqualTo(50);
      assertThat(fanout.figures().requests()).isEqualTo(60);
    }
    assertThat(teacher.asked).hasSize(60).doesNotHaveDuplicates();
  }

  @Test
  void neverHasMoreAtOnceThanAllowed() {
    teacher.latencyMillis = 5;
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(6))) {
      fanout.ask(requests(200));
    }
    assertThat(teacher.mostAtOnce.get()).isBetween(5, 6);
  }

  @Test
  void asksADatasetAndGivesTheTableBack() {
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(32))) {
      fanout.ask(dataset(300), Progress.onStandardError("test"));

      assertThat(fanout.completions().count()).isEqualTo(300);
      assertThat(fanout.completions().select("request_id").distinct().count()).isEqualTo(300);
    }
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(32))) {
      fanout.ask(dataset(310), Progress.onStandardError("test"));
    }
    assertThat(teacher.asked).hasSize(310).doesNotHaveDuplicates();
  }

  @Test
  void triesAgainWhatMayPassAndKeepsWhatDoesNot() {
    teacher.behaviour =
        (request, attempt) -> {
          if (request.prompt().orElseThrow().equals("ask 3")) {
            throw failure(TeacherException.Category.BAD_REQUEST, 400);
          }
          if (attempt == 1) {
            throw failure(TeacherException.Category.SERVER_ERROR, 500);
          }
          return MemoryTeacher.reply(request);
        };
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(8))) {
      List<Completion> ends = fanout.ask(requests(10));

      assertThat(ends.get(3).ok()).isFalse();
      assertThat(ends.get(3).error().orElseThrow()).startsWith("bad_request: ");
      assertThat(ends).filteredOn(Completion::ok).hasSize(9).allMatch(end -> end.attempts() == 2);
    }
  }

  @Test
  void stopsAtOnceAndKeepsTheLedgerWhereEveryRequestWouldFail() {
    teacher.behaviour =
        (request, attempt) -> {
          if (teacher.asked.size() > 20) {
            throw failure(TeacherException.Category.INSUFFICIENT_QUOTA, 429);
          }
          return MemoryTeacher.reply(request);
        };
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      assertThatThrownBy(() -> fanout.ask(requests(500)))
          .isInstanceOfSatisfying(
              JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
          .hasMessageContaining("no good");
    }
    assertThat(teacher.asked.size()).isLessThan(40);
    teacher.behaviour = (request, attempt) -> MemoryTeacher.reply(request);
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      assertThat(fanout.ask(requests(500))).hasSize(500);
      assertThat(fanout.figures().resumed()).isGreaterThanOrEqualTo(15);
      assertThat(fanout.figures().lost()).isZero();
    }
  }

  @Test
  void spendsNoMoreThanTheBudgetAndGoesOnWhenItIsRaised() {
    try (Fanout fanout = open(requestBudget(30))) {
      assertThatThrownBy(() -> fanout.ask(requests(100)))
          .isInstanceOfSatisfying(
              JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.PARTIAL))
          .hasMessageContaining("--max-requests");
      assertThat(fanout.figures().requests()).isEqualTo(30);
    }
    assertThat(teacher.asked).hasSize(30);
    try (Fanout fanout = open(requestBudget(100))) {
      assertThat(fanout.ask(requests(100))).hasSize(100).allMatch(Completion::ok);
      assertThat(fanout.figures().resumed()).isEqualTo(30);
    }
    assertThat(teacher.asked).hasSize(100).doesNotHaveDuplicates();
  }

  @Test
  void repliesWhoseTokensTheServerDoesNotTellAreBookedAgainWhenTheRunIsResumed() {
    teacher.behaviour = (request, attempt) -> new TeacherReply("text", "stop", -1, 0, -1, 200);
    long used;
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      fanout.ask(requests(10));
      used = fanout.figures().tokens();
    }
    assertThat(used).isGreaterThan(10 * 20);
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      fanout.ask(requests(10));
      assertThat(fanout.figures().tokens()).isEqualTo(used);
    }
  }

  @Test
  void smallFilesOfTheLedgerAreMergedWhenTheRunIsDoneAndSayTheSame() throws IOException {
    long tokens;
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      for (int round = 0; round < 20; round++) {
        int first = 8 * round;
        fanout.ask(IntStream.range(first, first + 8).mapToObj(this::request).toList());
      }
      assertThat(ledgerFiles()).hasSizeGreaterThan(20);
      tokens = fanout.figures().tokens();
    }
    assertThat(ledgerFiles()).hasSizeLessThanOrEqualTo(3);
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      assertThat(fanout.ask(requests(200))).hasSize(200).allMatch(Completion::ok);
      assertThat(fanout.figures().resumed()).isEqualTo(160);
      assertThat(fanout.figures().requests()).isEqualTo(200);
      assertThat(fanout.figures().tokens()).isGreaterThan(tokens);
      assertThat(fanout.completions().count()).isEqualTo(200);
    }
    assertThat(teacher.asked).hasSize(200).doesNotHaveDuplicates();
  }

  @Test
  void aMergeThatDiesAtAnyStepLosesAndRepeatsNothing() throws Exception {
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      fanout.ask(requests(8));
    }
    var run = new org.apache.hadoop.fs.Path(ledger.resolve("run").toUri());
    Path place;
    try (var folders = Files.list(ledger.resolve("run"))) {
      place = folders.filter(path -> !path.endsWith("_granted")).sorted().findFirst().orElseThrow();
    }
    // As many small files as make a merge worth it: the replies of other tasks.
    List<String> lines = Files.readAllLines(place.resolve("0-0.jsonl"));
    for (int i = 0; i < 20; i++) {
      Path other =
          Files.createDirectories(ledger.resolve("run").resolve(place.getFileName() + "-" + i));
      Files.writeString(
          other.resolve("0-0.jsonl"),
          lines.get(0).replace("\"request_id\":\"id-", "\"request_id\":\"x" + i + "-")
              + "\n{\"cut");
    }
    var reader = new LedgerReader(SPARK, run);
    long entries = reader.entries().count();
    var configuration =
        new org.apache.spark.util.SerializableConfiguration(SPARK.sessionState().newHadoopConf());
    var spark = new org.apache.spark.api.java.JavaSparkContext(SPARK.sparkContext());
    for (int step = 1; ; step++) {
      var dying = new DyingFileSystem(step);
      dying.initialize(java.net.URI.create("file:///"), configuration.value());
      boolean died = false;
      try {
        new LedgerMerge(dying, run)
            .merge(spark, configuration, place.getFileName().toString().split("-")[0], true);
      } catch (IOException e) {
        died = true;
      }
      assertThat(reader.entries().count()).as("after step " + step).isEqualTo(entries);
      assertThat(reader.past().spent().requests()).as("after step " + step).isEqualTo(8);
      if (!died) {
        assertThat(step).isGreaterThan(4);
        break;
      }
    }
    assertThat(reader.entries().select("request_id").distinct().count()).isEqualTo(entries);
    assertThat(ledgerFiles()).hasSizeLessThanOrEqualTo(4);
  }

  /** Breaks at the n-th change. */
  private static final class DyingFileSystem extends org.apache.hadoop.fs.RawLocalFileSystem {
    private int left;

    DyingFileSystem(int step) {
      this.left = step;
    }

    private void count() throws IOException {
      left--;
      if (left <= 0) {
        throw new IOException("Died");
      }
    }

    @Override
    public org.apache.hadoop.fs.FSDataOutputStream create(
        org.apache.hadoop.fs.Path path, boolean overwrite) throws IOException {
      count();
      return super.create(path, overwrite);
    }

    @Override
    public boolean delete(org.apache.hadoop.fs.Path path, boolean recursive) throws IOException {
      count();
      return super.delete(path, recursive);
    }
  }

  private List<Path> ledgerFiles() throws IOException {
    try (var files = Files.walk(ledger)) {
      return files.filter(file -> file.toString().endsWith(".jsonl")).toList();
    }
  }

  @Test
  void repeatingTheCommandDoesNotSpendABudgetAgainWhereTheServerTellsNoTokens() {
    teacher.behaviour = (request, attempt) -> new TeacherReply("text", "stop", -1, 0, -1, 200);
    for (int attempt = 0; attempt < 4; attempt++) {
      try (Fanout fanout = open(tokenBudget(2000))) {
        assertThatThrownBy(() -> fanout.ask(requests(100)))
            .isInstanceOfSatisfying(
                JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.PARTIAL))
            .hasMessageContaining("--max-total-tokens");
        assertThat(fanout.figures().tokens()).isBetween(1800L, 2000L);
      }
      // Each is booked at its worst case, about 110 tokens.
      assertThat(teacher.asked).hasSizeBetween(15, 20).doesNotHaveDuplicates();
    }
  }

  @Test
  void whatTheServerCountedOverTheEstimateIsKnownWhenTheRunIsOpenedAgain() {
    teacher.behaviour = (request, attempt) -> new TeacherReply("text", "stop", 1500, 0, 10, 200);
    for (long budget : List.of(1000L, 4000L)) {
      try (Fanout fanout = open(tokenBudget(budget))) {
        assertThatThrownBy(() -> fanout.ask(requests(100)))
            .hasMessageContaining("--max-total-tokens");
      }
    }
    // The second time two of 1510 tokens fit, and the first ones are known to have taken so many.
    long first = teacher.asked.size();
    try (Fanout fanout = open(tokenBudget(first * 1510 + 3100))) {
      assertThatThrownBy(() -> fanout.ask(requests(100)))
          .hasMessageContaining("--max-total-tokens");
      assertThat(fanout.figures().tokens()).isEqualTo((first + 2) * 1510);
    }
  }

  @Test
  void failuresOfAnEarlierAttemptStopARunThatIsOpenedAgain() {
    teacher.behaviour =
        (request, attempt) -> {
          if (request.requestId().endsWith("5")) {
            throw failure(TeacherException.Category.BAD_REQUEST, 400);
          }
          return MemoryTeacher.reply(request);
        };
    FanoutLimits none = FanoutLimits.ofConcurrency(4);
    var strict =
        new FanoutLimits(
            4,
            none.requestsPerMinute(),
            none.tokensPerMinute(),
            none.maxRequests(),
            none.maxTotalTokens(),
            none.maxCostUsd(),
            none.maxWait(),
            0.05);
    var silent = dev.distillery.core.run.Progress.onStandardError("test");
    for (int attempt = 0; attempt < 12; attempt++) {
      try (Fanout fanout = open(strict)) {
        assertThatThrownBy(() -> fanout.ask(dataset(40), silent))
            .isInstanceOfSatisfying(
                JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.PARTIAL))
            .hasMessageContaining("--max-failure-ratio");
      }
    }
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(4))) {
      fanout.ask(dataset(40), silent);
    }
  }

  @Test
  void refusesACostLimitWithoutAPrice() {
    FanoutLimits limits = FanoutLimits.ofConcurrency(1);
    var costly =
        new FanoutLimits(
            1,
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            OptionalLong.empty(),
            Optional.of(BigDecimal.ONE),
            limits.maxWait(),
            limits.maxFailureRatio());
    assertThatThrownBy(() -> Fanout.open(SPARK, spec(costly, Optional.empty()), Secret.NONE))
        .hasMessageContaining("has no price");
  }

  @Test
  void aRoundCostsLittle() {
    try (Fanout fanout = open(FanoutLimits.ofConcurrency(64))) {
      fanout.ask(requests(64));
      long start = System.nanoTime();
      for (int round = 1; round <= 10; round++) {
        int first = 64 * round;
        fanout.ask(IntStream.range(first, first + 64).mapToObj(this::request).toList());
      }
      long millis = Duration.ofNanos(System.nanoTime() - start).toMillis() / 10;
      System.err.println("A round of 64 took " + millis + " ms");
      assertThat(millis).isLessThan(1000);
    }
  }

  private static TeacherException failure(TeacherException.Category category, int status) {
    return new TeacherException(category, status, Optional.empty(), "This is no good");
  }

  private FanoutLimits tokenBudget(long tokens) {
    FanoutLimits limits = FanoutLimits.ofConcurrency(4);
    return new FanoutLimits(
        4,
        limits.requestsPerMinute(),
        limits.tokensPerMinute(),
        limits.maxRequests(),
        OptionalLong.of(tokens),
        limits.maxCostUsd(),
        limits.maxWait(),
        limits.maxFailureRatio());
  }

  private FanoutLimits requestBudget(long requests) {
    FanoutLimits limits = FanoutLimits.ofConcurrency(4);
    return new FanoutLimits(
        4,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.of(requests),
        OptionalLong.empty(),
        Optional.empty(),
        limits.maxWait(),
        limits.maxFailureRatio());
  }

  private Fanout open(FanoutLimits limits) {
    return Fanout.open(SPARK, spec(limits, Optional.of(Price.FREE)), Secret.NONE);
  }

  private FanoutSpec spec(FanoutLimits limits, Optional<Price> price) {
    return new FanoutSpec(
        "run",
        ledger.toUri().toString(),
        new TeacherSettings("memory", model, "", "chat", Duration.ofSeconds(10), 8),
        price,
        limits,
        new RetryPolicy(3));
  }

  private List<TeacherRequest> requests(int count) {
    return IntStream.range(0, count).mapToObj(this::request).toList();
  }

  private TeacherRequest request(int number) {
    return new TeacherRequest(
        "id-" + number,
        Optional.of("row-" + number),
        model,
        Optional.of("ask " + number),
        List.of(),
        Sampling.of(20),
        "{}");
  }

  private Dataset<String> dataset(int count) {
    return SPARK.createDataset(
        requests(count).stream().map(RequestCodec::toJson).toList(), Encoders.STRING());
  }
}
