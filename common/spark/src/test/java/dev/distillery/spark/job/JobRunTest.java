package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.core.run.Validated;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.PinnedInput;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine.Option;

class JobRunTest {
  record Options(
      RunOptions run,
      @Option(names = "--rows", defaultValue = "3") int rows,
      @dev.distillery.core.run.Tunable @Option(names = "--speed", defaultValue = "1") int speed,
      @dev.distillery.core.run.Tunable
          @dev.distillery.core.run.GoesOn
          @Option(names = "--until", defaultValue = "1")
          int until,
      @Option(names = "--input") List<String> input)
      implements Validated {
    @Override
    public List<String> violations() {
      return rows < 0 ? List.of("Option --rows is below 0") : List.of();
    }
  }

  record Counts(RunSummary run, long kept) implements Summary {
    Counts(JobRun run, long kept) {
      this(run.summary(), kept);
    }
  }

  /** How the example ends. */
  interface Body {
    Outcome<Counts> run(JobRun run) throws Exception;
  }

  /** Writes as many documents as it is told, or ends as it is told. */
  record Example(String name, @Nullable String content, Body ending)
      implements Job<Options, Counts> {
    @Override
    public String purpose() {
      return "An example.";
    }

    @Override
    public Manual manual() {
      return Manual.of("", "", "");
    }

    @Override
    public Class<Options> optionsType() {
      return Options.class;
    }

    @Override
    public Class<Counts> summaryType() {
      return Counts.class;
    }

    @Override
    public RunOptions runOptions(Options options) {
      return options.run();
    }

    @Override
    public List<TableRef> inputs(Options options) {
      return TableRef.parse(options.input());
    }

    @Override
    public Map<String, String> contents(Options options, Configuration hadoop) {
      return content == null ? Map.of() : Map.of("words content", content);
    }

    @Override
    public void check(Options options) {
      if (options.rows() == 13) {
        throw JobException.invalid("Thirteen rows bring bad luck");
      }
    }

    @Override
    public Outcome<Counts> perform(JobRun run, Options options) throws Exception {
      if (!run.dryRun() && options.rows() > 0) {
        run.write(Tables.DOCUMENTS, documents(run.spark(), options.rows()));
      }
      return ending.run(run);
    }
  }

  static Outcome<Counts> done(JobRun run) {
    return done(run, 3);
  }

  private static Outcome<Counts> done(JobRun run, long rows) {
    return Outcome.done(new Counts(run, rows), RowAccount.of("rows", rows, rows));
  }

  @TempDir Path folder;
  private final SparkSession spark = LocalSpark.session();
  private Warehouse warehouse;

  @BeforeEach
  void open() {
    warehouse = Warehouse.at(folder.toString(), spark.sparkContext().hadoopConfiguration());
  }

  private static Dataset<Row> documents(SparkSession spark, int rows) {
    return spark.createDataFrame(
        IntStream.range(0, rows)
            .mapToObj(
                i ->
                    RowFactory.create(
                        "d" + i, "Text " + i, null, null, null, "example", "CC0-1.0", null))
            .toList(),
        Tables.DOCUMENTS.schema());
  }

  private Counts run(String job, Body ending, Map<String, String> options) {
    return run(job, null, ending, options);
  }

  private Counts run(
      String job, @Nullable String content, Body ending, Map<String, String> options) {
    var given = new HashMap<String, List<String>>();
    given.put("warehouse", List.of(folder.toString()));
    options.forEach((name, value) -> given.put(name, List.of(value)));
    return new Example(job, content, ending)
        .run(spark, OptionsBinder.of(Options.class).bind(given));
  }

  private Dataset<Row> read(String ref) {
    return new TableReader(spark, warehouse, note -> {})
        .read(TableRef.parse(ref), Tables.DOCUMENTS);
  }

  @Test
  void publishesItsRowsThenItsRecord() {
    Counts summary = run("example", JobRunTest::done, Map.of("run-id", "a1", "rows", "5"));

    assertThat(summary.tables().get("documents").rows()).isEqualTo(5);
    assertThat(folder.resolve("documents/run_id=a1")).isDirectory();
    assertThat(folder.resolve("_staging/a1")).doesNotExist();
    assertThat(folder.resolve("_leases/a1/000001")).doesNotExist();
    RunRecord record = new RunRecords(warehouse).find("a1").orElseThrow();
    assertThat(record.status()).isEqualTo("done");
    assertThat(record.tables().get("documents").rows()).isEqualTo(5);
    assertThat(record.licenses()).isEqualTo(Map.of("documents", Map.of("CC0-1.0", 5L)));
    assertThat(record.options()).containsEntry("rows", "5");
    assertThat(record.summary().toString()).isEqualTo(summary.toJson().toString());
    assertThat(read("documents").count()).isEqualTo(5);
    assertThat(read("documents").schema().apply("text").getComment().getOrElse(() -> "no comment"))
        .isEqualTo("The text");
  }

  @Test
  void countsTheRowsOfEachLicenseWhereAFileHoldsSeveral() {
    run(
        "example",
        job -> {
          job.write(
              Tables.DOCUMENTS,
              documents(spark, 5)
                  .withColumn("license", functions.expr("if(id = 'd4', 'Apache-2.0', 'MIT')"))
                  .coalesce(1));
          return done(job, 5);
        },
        Map.of("run-id", "a1", "rows", "0"));
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().licenses())
        .isEqualTo(Map.of("documents", Map.of("Apache-2.0", 1L, "MIT", 4L)));
  }

  @Test
  void refusesAnInputThatTheUseDoesNotAllow() {
    run("example", JobRunTest::done, Map.of("run-id", "free"));
    Body other =
        job -> {
          job.write(
              Tables.DOCUMENTS,
              documents(spark, 2).withColumn("license", functions.lit("CC-BY-NC-4.0")));
          return done(job, 2);
        };
    run("example", other, Map.of("run-id", "bound", "rows", "0"));
    Body reads =
        job -> {
          job.inputs(List.of("documents@free", "documents@bound"), Tables.DOCUMENTS);
          return done(job, 0);
        };
    assertThatThrownBy(() -> run("example", reads, Map.of("use", "commercial")))
        .isInstanceOf(JobException.class)
        .hasMessage(
            "Rows of documents@bound may not be used with --use commercial: 2 rows: CC-BY-NC-4.0"
                + " forbids commercial use; take them out by the job curate with the same --use");
    assertThat(run("example", reads, Map.of("use", "research")).status()).isEqualTo("done");
  }

  @Test
  void theSameIdAndOptionsAgainPrintsTheSameSummaryAndDoesNothing() {
    Counts first = run("example", JobRunTest::done, Map.of("run-id", "a1"));
    Counts again =
        run(
            "example",
            run -> {
              throw new AssertionError("The body ran again");
            },
            Map.of("run-id", "a1", "speed", "9"));
    assertThat(again).isEqualTo(first);
  }

  /** More is asked of it: it goes on, and what it was stays where that fails. */
  @Test
  void aFinishedRunThatIsAskedForMoreGoesOn() {
    run("write", JobRunTest::done, Map.of("run-id", "r1", "until", "5"));
    assertThatThrownBy(
            () ->
                run(
                    "write",
                    r -> {
                      throw JobException.invalid("No more");
                    },
                    Map.of("run-id", "r1", "until", "6")))
        .hasMessageContaining("No more");
    RunRecord record = new RunRecords(warehouse).find("r1").orElseThrow();
    assertThat(record.done()).isTrue();
    assertThat(record.options()).containsEntry("until", "5");
    assertThat(read("documents@r1").count()).isEqualTo(3);
    Counts more = run("write", r -> done(r, 3), Map.of("run-id", "r1", "until", "6"));
    assertThat(more.status()).isEqualTo("done");
    assertThat(new RunRecords(warehouse).find("r1").orElseThrow().options())
        .containsEntry("until", "6");
    Body never =
        r -> {
          throw new AssertionError("The run is done already");
        };
    for (String until : List.of("6", "2")) {
      assertThat(run("write", never, Map.of("run-id", "r1", "until", until))).isEqualTo(more);
    }
  }

  @Test
  void theSameIdWithOtherOptionsOrOfAnotherJobIsRefused() {
    run("example", JobRunTest::done, Map.of("run-id", "a1"));
    assertThatThrownBy(() -> run("example", JobRunTest::done, Map.of("run-id", "a1", "rows", "4")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("--rows was 3, now 4");
    assertThatThrownBy(() -> run("other", JobRunTest::done, Map.of("run-id", "a1")))
        .hasMessageContaining("belongs to a run of example");
  }

  /** As where a version recorded the run that had no such option. */
  @Test
  void anOptionThatTheRecordDoesNotNameHadItsDefault() throws IOException {
    Counts first = run("example", JobRunTest::done, Map.of("run-id", "a1"));
    Path record = folder.resolve("_runs/a1.json");
    String old = Files.readString(record).replaceAll(",?\\s*\"rows\"\\s*:\\s*\"3\"", "");
    assertThat(Files.writeString(record, old)).content().doesNotContain("\"rows\" : \"3\"");
    assertThat(run("example", JobRunTest::done, Map.of("run-id", "a1"))).isEqualTo(first);
    assertThatThrownBy(() -> run("example", JobRunTest::done, Map.of("run-id", "a1", "rows", "4")))
        .hasMessageContaining("--rows was 3, now 4");
  }

  @Test
  void theSameIdWithAnotherContentOfTheFilesThatItsOptionsNameIsRefused() {
    run("example", "a", JobRunTest::done, Map.of("run-id", "a1"));
    assertThat(run("example", "a", JobRunTest::done, Map.of("run-id", "a1")).status())
        .isEqualTo("done");
    assertThatThrownBy(() -> run("example", "b", JobRunTest::done, Map.of("run-id", "a1")))
        .hasMessageContaining("the words content was a, now b");
  }

  /** As where a version recorded the run that did not look at that file. */
  @Test
  void aContentThatTheRecordDoesNotNameIsNotRefused() throws IOException {
    Counts first = run("example", "a", JobRunTest::done, Map.of("run-id", "a1"));
    Path record = folder.resolve("_runs/a1.json");
    String old = Files.readString(record).replaceAll(",?\\s*\"words content\"\\s*:\\s*\"a\"", "");
    assertThat(Files.writeString(record, old)).content().doesNotContain("words content");
    assertThat(run("example", "b", JobRunTest::done, Map.of("run-id", "a1"))).isEqualTo(first);
  }

  @Test
  void aRunThatStopsShowsNoRowsAndMayGoOn() {
    Counts partial =
        run(
            "example",
            run -> Outcome.stopped(ExitCode.PARTIAL, "The budget is spent", new Counts(run, 1)),
            Map.of("run-id", "a1"));
    assertThat(partial.status()).isEqualTo("partial");
    assertThat(partial.run().message()).isEqualTo("The budget is spent");
    assertThat(partial.run().exitCode()).isEqualTo(ExitCode.PARTIAL);
    assertThat(folder.resolve("documents")).doesNotExist();
    assertThatThrownBy(() -> read("documents"))
        .hasMessageContaining("No finished run")
        .hasMessageContaining("has a table 'documents'");

    assertThat(run("example", JobRunTest::done, Map.of("run-id", "a1")).status()).isEqualTo("done");
    assertThat(read("documents@a1").count()).isEqualTo(3);
  }

  @Test
  void aRunThatStopsShowsWhatItHasOnRequestAndIsReplacedWhole() {
    run("example", JobRunTest::done, Map.of("run-id", "a0"));
    Body stops =
        run -> {
          assertThat(run.publishesPartial()).isTrue();
          run.reject(documents(run.spark(), 1), functions.lit("bad"), functions.lit(""));
          return Outcome.stopped(ExitCode.PARTIAL, "The budget is spent", new Counts(run, 2))
              .with(RowAccount.of("rows", 9, 2).rejects(Map.of("bad", 1L)).leftOver(6));
        };
    Map<String, String> partly = Map.of("run-id", "a1", "rows", "2", "publish-partial", "true");
    Counts partial = run("example", stops, partly);
    assertThat(partial.status()).isEqualTo("partial");
    assertThat(partial.tables().get("documents").rows()).isEqualTo(2);

    var notes = new ArrayList<String>();
    var reader = new TableReader(spark, warehouse, notes::add);
    TableRef part = TableRef.parse("documents@a1");
    assertThat(reader.read(part, Tables.DOCUMENTS).count()).isEqualTo(2);
    assertThat(PinnedInput.find(part, warehouse).toJson().path("status").asText())
        .isEqualTo("partial");
    assertThat(notes)
        .containsExactly(
            "Warning: the run a1 is not done (The budget is spent); its tables have the rows that"
                + " it had then");
    assertThat(read("documents").count()).as("of the newest run that is done").isEqualTo(3);

    // What cannot go on takes away nothing, and the end replaces all.
    Body fails =
        run -> {
          throw JobException.invalid("No more");
        };
    assertThatThrownBy(() -> run("example", fails, Map.of("run-id", "a1", "rows", "2")))
        .hasMessage("No more");
    assertThat(read("documents@a1").count()).isEqualTo(2);
    assertThat(folder.resolve("rejects/run_id=a1")).exists();
    run("example", run -> done(run, 5), Map.of("run-id", "a1", "rows", "5"));
    assertThat(read("documents").count()).isEqualTo(5);
    assertThat(folder.resolve("rejects/run_id=a1")).doesNotExist();
  }

  @Test
  void aFinishedRunThatGoesOnShowsNothingPartial() {
    run("example", JobRunTest::done, Map.of("run-id", "a1"));
    Counts more =
        run(
            "example",
            run -> {
              assertThat(run.publishesPartial()).isFalse();
              return Outcome.stopped(ExitCode.PARTIAL, "The budget is spent", new Counts(run, 1));
            },
            Map.of("run-id", "a1", "until", "2", "publish-partial", "true"));
    assertThat(more.tables()).isEmpty();
    Counts other =
        run(
            "example",
            run -> Outcome.stopped(ExitCode.TEMPORARY, "Later", new Counts(run, 1)),
            Map.of("run-id", "a2", "publish-partial", "true"));
    assertThat(other.tables()).as("of a job that accounts for no row").isEmpty();
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().done()).isTrue();
    assertThat(read("documents@a1").count()).isEqualTo(3);
  }

  @Test
  void aDryRunFindsWhatTheRunWouldBeRefusedFor() throws IOException {
    Map<String, String> dry = Map.of("run-id", "a1", "dry-run", "true");
    Body plans = run -> Outcome.done(new Counts(run, 0));
    run("example", JobRunTest::done, Map.of("run-id", "a1"));
    assertThat(run("example", plans, dry).status()).isEqualTo("dry-run");
    assertThatThrownBy(
            () -> run("example", plans, Map.of("run-id", "a1", "rows", "4", "dry-run", "true")))
        .hasMessageContaining("--rows was 3, now 4");
    try (RunLease lease = RunLease.take(warehouse, "a1", Map.of(), said -> {})) {
      assertThat(lease.sure()).isTrue();
      assertThatThrownBy(() -> run("example", plans, dry))
          .isInstanceOfSatisfying(
              JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
          .hasMessageContaining("Another driver works on the run a1");
    }
    Path file = Files.writeString(folder.resolve("file"), "");
    for (Path root : List.of(file, file.resolve("below"))) {
      assertThatThrownBy(
              () ->
                  Warehouse.at(root.toString(), spark.sparkContext().hadoopConfiguration())
                      .checkWritable())
          .hasMessageContaining("Option --warehouse: file:" + file + " is a file");
    }
    Warehouse.at(folder + "/a/b", spark.sparkContext().hadoopConfiguration()).checkWritable();
    assertThat(folder.resolve("a")).doesNotExist();
  }

  @Test
  void aFailureIsRecordedWithItsMessage() {
    assertThatThrownBy(
            () ->
                run(
                    "example",
                    run -> {
                      throw JobException.invalid("Column 'text' is missing");
                    },
                    Map.of("run-id", "a1")))
        .hasMessage("Column 'text' is missing");
    RunRecord record = new RunRecords(warehouse).find("a1").orElseThrow();
    assertThat(record.status()).isEqualTo("failed");
    assertThat(record.exitCode()).isEqualTo(3);
    assertThat(record.message()).isEqualTo("Column 'text' is missing");
  }

  @Test
  void aSecondLiveDriverOnAnIdIsTurnedAwayAndADeadOneIsNot() throws IOException {
    try (RunLease lease = RunLease.take(warehouse, "a1", Map.of(), said -> {})) {
      assertThat(lease.driver()).startsWith(ProcessHandle.current().pid() + "@");
      assertThatThrownBy(() -> run("example", JobRunTest::done, Map.of("run-id", "a1")))
          .isInstanceOfSatisfying(
              JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.TEMPORARY))
          .hasMessageContaining(
              "Another driver works on the run a1: process " + ProcessHandle.current().pid());
    }
    Path mark = folder.resolve("_leases/a1/000001");
    RunLease.take(warehouse, "a1", Map.of(), said -> {});
    String text = Files.readString(mark);
    // The same machine and namespace, a process that is none.
    Files.writeString(
        mark, text.replace("\"pid\":" + ProcessHandle.current().pid(), "\"pid\":1099511627776"));
    assertThat(run("example", JobRunTest::done, Map.of("run-id", "a1")).status()).isEqualTo("done");
    assertThat(mark).doesNotExist();
  }

  @Test
  void aDriverThatHasLostItsRunWritesNoRecordAndAFinishedRunStaysFinished() throws IOException {
    Body losesItsLease =
        run -> {
          // Another driver passes, finishes the run and goes.
          Files.writeString(folder.resolve("_leases/a1/000002"), "{\"owner\":\"another\"}");
          Files.createDirectories(folder.resolve("_runs"));
          Files.writeString(
              folder.resolve("_runs/a1.json"), "{\"run_id\":\"a1\",\"status\":\"done\"}");
          throw JobException.invalid("Something went wrong here");
        };
    assertThatThrownBy(() -> run("example", losesItsLease, Map.of("run-id", "a1")))
        .hasMessage("Something went wrong here");
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().done()).isTrue();

    Body finishedElsewhere =
        run -> {
          Files.writeString(
              folder.resolve("_runs/a2.json"), "{\"run_id\":\"a2\",\"status\":\"done\"}");
          throw JobException.invalid("Something went wrong here");
        };
    assertThatThrownBy(() -> run("example", finishedElsewhere, Map.of("run-id", "a2")))
        .hasMessage("Something went wrong here");
    assertThat(new RunRecords(warehouse).find("a2").orElseThrow().done()).isTrue();
  }

  @Test
  void noTableIsWrittenTwiceNorOutsideTheWarehouse() {
    Body twice =
        run -> {
          run.write(Tables.DOCUMENTS, documents(spark, 1));
          return done(run, 1);
        };
    assertThatThrownBy(() -> run("example", twice, Map.of("run-id", "a1")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("writes the table 'documents' for another purpose too");
    Body outside =
        run -> {
          run.write(Tables.DOCUMENTS, "../escaped", documents(spark, 1));
          return done(run, 1);
        };
    assertThatThrownBy(() -> run("example", outside, Map.of("run-id", "a2")))
        .hasMessageContaining("'../escaped' is no table's name");
    assertThat(folder.resolveSibling("escaped")).doesNotExist();
    Body another =
        run -> {
          run.write(Tables.DOCUMENTS, "rejects", documents(spark, 1));
          return done(run, 1);
        };
    assertThatThrownBy(() -> run("example", another, Map.of("run-id", "a3")))
        .hasMessageContaining(
            "'rejects' is the name of the table rejects, and the rows are documents");
    Body sameFolder =
        run -> {
          run.write(Tables.DOCUMENTS, "clean", documents(spark, 1));
          run.write(Tables.DOCUMENTS, "Clean", documents(spark, 1));
          return done(run, 1);
        };
    assertThatThrownBy(() -> run("example", sameFolder, Map.of("run-id", "a4")))
        .hasMessageContaining("writes the table 'Clean' for another purpose too");
  }

  /** The rows of the input, which the run writes again. */
  private Body copies(List<Long> seen) {
    return job -> {
      Dataset<Row> rows = job.inputColumns(List.of("documents"), Tables.DOCUMENTS);
      seen.add(rows.count());
      long kept = job.write(Tables.DOCUMENTS, "copies", rows);
      return done(job, kept);
    };
  }

  @Test
  void aRunThatGoesOnReadsTheRunThatItFoundWhenItOpened() {
    run("example", JobRunTest::done, Map.of("run-id", "d1", "rows", "2"));
    Map<String, String> options = Map.of("run-id", "a1", "rows", "0", "input", "documents");
    Body stops =
        job -> {
          RunRecord open = new RunRecords(warehouse).find("a1").orElseThrow();
          assertThat(open.status()).isEqualTo("running");
          assertThat(open.inputs().get(0).path("ref").asText()).isEqualTo("documents@d1");
          return Outcome.stopped(ExitCode.PARTIAL, "The budget is spent", new Counts(job, 0));
        };
    run("copy", stops, options);
    run("example", JobRunTest::done, Map.of("run-id", "d2", "rows", "4"));
    List<Long> seen = new ArrayList<>();
    run("copy", copies(seen), options);
    assertThat(seen).containsExactly(2L);
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().inputs())
        .extracting(input -> input.path("ref").asText() + " " + input.path("asked").asText())
        .containsExactly("documents@d1 documents");
    run("copy", copies(seen), options);
    assertThat(seen).hasSize(1);
    // Its input was wrong: that may have been mended since.
    Body refuses =
        job -> {
          throw JobException.invalid("A row is wrong");
        };
    Map<String, String> wrong = Map.of("run-id", "a2", "rows", "0", "input", "documents");
    assertThatThrownBy(() -> run("copy", refuses, wrong)).hasMessage("A row is wrong");
    run("example", JobRunTest::done, Map.of("run-id", "d3", "rows", "1"));
    run("copy", copies(seen), wrong);
    assertThat(seen).containsExactly(2L, 1L);
  }

  @Test
  void aFinishedRunWhoseInputChangedIsRefusedAndMadeAgainOnRequest() throws IOException {
    Path file = folder.resolve("in/rows.jsonl");
    Files.createDirectories(file.getParent());
    Files.writeString(file, "{\"id\":\"1\",\"text\":\"One\"}\n");
    var options =
        new HashMap<>(Map.of("run-id", "a1", "rows", "0", "input", file.getParent().toString()));
    Body copies =
        job -> {
          Dataset<Row> rows =
              job.inputColumns(List.of(file.getParent().toString()), Tables.DOCUMENTS);
          if (rows.count() == 1) {
            job.write(Tables.DOCUMENTS, "only_first", rows);
          }
          return done(job, job.write(Tables.DOCUMENTS, rows));
        };
    run("copy", copies, options);
    run("copy", copies, options);
    Files.writeString(file, "{\"id\":\"1\",\"text\":\"One\"}\n{\"id\":\"2\",\"text\":\"Two\"}\n");
    assertThatThrownBy(() -> run("copy", copies, options))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("The run 'a1' (done) read other inputs")
        .hasMessageContaining("had 1 files of 24 bytes, and has 1 of 48")
        .hasMessageContaining("rows.jsonl was of 24 bytes, changed at ");

    options.put("overwrite", "true");
    Body fails =
        job -> {
          job.write(Tables.DOCUMENTS, documents(spark, 7));
          throw new IllegalStateException("No more");
        };
    assertThatThrownBy(() -> run("copy", fails, options)).hasMessageContaining("No more");
    assertThat(read("documents@a1").count()).isEqualTo(1);
    assertThat(run("copy", copies, options).tables().get("documents").rows()).isEqualTo(2);
    assertThat(read("documents@a1").count()).isEqualTo(2);
    assertThat(spark.read().parquet(folder.resolve("documents/run_id=a1").toString()).count())
        .isEqualTo(2);
    assertThat(folder.resolve("only_first/run_id=a1")).doesNotExist();
    try (var runs = Files.list(folder.resolve("documents"))) {
      assertThat(runs).hasSize(1);
    }
    options.remove("overwrite");
    Body never =
        job -> {
          throw new AssertionError("The run is done already");
        };
    assertThat(run("copy", never, options).status()).isEqualTo("done");
    assertThatThrownBy(() -> run("other", never, Map.of("run-id", "a1", "overwrite", "true")))
        .hasMessageContaining("belongs to a run of copy");
  }

  /** Killed between the new record and the move: the new rows are read, and the old ones go. */
  @Test
  void aReplacedResultIsReadBeforeItsRowsAreMoved() throws IOException {
    run("example", JobRunTest::done, Map.of("run-id", "a1", "rows", "1"));
    run("example", JobRunTest::done, Map.of("run-id", "a1", "rows", "2", "overwrite", "true"));
    Path table = folder.resolve("documents/run_id=a1");
    Files.move(table, folder.resolve("documents/run_id=a1~2"));
    documents(spark, 1).write().parquet(table.toString());
    assertThat(read("documents@a1").count()).isEqualTo(2);
    warehouse.settle(new RunRecords(warehouse).find("a1").orElseThrow());
    assertThat(read("documents@a1").count()).isEqualTo(2);
    assertThat(folder.resolve("documents/run_id=a1~2")).doesNotExist();
  }

  @Test
  void aRecordThatCannotBeReadDoesNotHideTheOthers() throws IOException {
    run("example", JobRunTest::done, Map.of("run-id", "a1"));
    Files.writeString(folder.resolve("_runs/broken.json"), "{\"run_id\": ");
    assertThat(read("documents").count()).isEqualTo(3);
    assertThatThrownBy(() -> read("documents@broken"))
        .isInstanceOf(JobException.class)
        .hasMessageContaining("_runs/broken.json is not JSON");
  }

  @Test
  void aRunThatGoesOnOnAnotherDayIsOfTheDayThatItBegan() throws IOException {
    Body stops = run -> Outcome.stopped(ExitCode.TEMPORARY, "Later", new Counts(run, 0));
    run("example", stops, Map.of("run-id", "a1"));
    Path record = folder.resolve("_runs/a1.json");
    String today = LocalDate.now(ZoneOffset.UTC).toString();
    assertThat(Files.readString(record)).containsPattern("\"day\" ?: ?\"\\d{4}-\\d\\d-\\d\\d\"");
    Files.writeString(
        record,
        Files.readString(record).replaceAll("\"day\" ?: ?\"[0-9-]*\"", "\"day\": \"2001-02-03\""));
    var days = new ArrayList<String>();
    Body told =
        run -> {
          days.add(run.day().toString());
          return done(run);
        };

    run("example", told, Map.of("run-id", "a1"));
    run("example", told, Map.of("run-id", "a2"));

    assertThat(days.get(0)).isEqualTo("2001-02-03");
    assertThat(days.get(1)).isGreaterThanOrEqualTo(today);
  }

  @Test
  void anExhaustedMemoryLeavesARecord() {
    Body greedy =
        run -> {
          throw new OutOfMemoryError("Java heap space");
        };
    assertThatThrownBy(() -> run("example", greedy, Map.of("run-id", "a1")))
        .hasMessageContaining("The driver is out of memory (Java heap space)");
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().status()).isEqualTo("failed");
  }

  @Test
  void aRecordIsThereAtEveryMomentOfItsReplacement() throws Exception {
    run("example", JobRunTest::done, Map.of("run-id", "a1"));
    String text = Files.readString(folder.resolve("_runs/a1.json"));
    var writer =
        new Thread(
            () -> {
              for (int i = 0; i < 300; i++) {
                warehouse.writeText(warehouse.record("a1"), text);
              }
            });
    writer.start();
    while (writer.isAlive()) {
      assertThat(warehouse.readText(warehouse.record("a1"))).contains(text);
    }
    writer.join();
    try (var files = Files.list(folder.resolve("_runs"))) {
      assertThat(files.map(file -> file.getFileName().toString())).containsExactly("a1.json");
    }
  }

  @Test
  void aDryRunWritesNothing() throws IOException {
    assertThat(run("example", JobRunTest::done, Map.of("dry-run", "true")).status())
        .isEqualTo("dry-run");
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void theNewestFinishedRunIsWhatATablesNameMeans() {
    run("example", JobRunTest::done, Map.of("run-id", "b", "rows", "1"));
    run("example", JobRunTest::done, Map.of("run-id", "a", "rows", "2"));
    assertThat(read("documents").count()).isEqualTo(2);
    assertThat(read("documents@b").count()).isEqualTo(1);
    assertThatThrownBy(() -> read("documants")).hasMessageContaining("did you mean documents?");
    assertThatThrownBy(() -> read("documents@c")).hasMessageContaining("under the run id 'c'");
  }

  @Test
  void rowsThatDoNotAddUpAreNeitherPublishedNorForgotten() {
    assertThatThrownBy(
            () ->
                run(
                    "example",
                    run ->
                        Outcome.done(
                            new Counts(run, 3),
                            RowAccount.of("rows", 10, 3).duplicates(2).leftOver(4)),
                    Map.of("run-id", "a1")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.UNEXPECTED))
        .hasMessage(
            "The rows do not add up: kept 3, duplicates 2, rejected 0; in 10, left over 4; did the"
                + " input change while it was read?");
    assertThat(folder.resolve("documents")).doesNotExist();
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().status()).isEqualTo("failed");
  }

  @Test
  void whatIsCountedMustBeInTheTables() {
    Body counts =
        run ->
            Outcome.done(
                new Counts(run, 3), RowAccount.of("rows", 5, 3).rejects(Map.of("empty", 2L)));
    assertThatThrownBy(() -> run("example", counts, Map.of()))
        .hasMessageContaining("rejected 2; rows of duplicates 0, rows of rejects 0");
    assertThatThrownBy(() -> run("example", run -> Outcome.done(new Counts(run, 3)), Map.of()))
        .hasMessageContaining("The job example accounts for no row");
  }

  @Test
  void aRejectHasItsRowAsJson() {
    Counts summary =
        run(
            "example",
            run -> {
              Dataset<Row> rows = run.staged("documents");
              Map<String, Long> rejects =
                  run.reject(
                      rows.where("id < 'd2'").select("id", "text"),
                      functions.expr("if(id = 'd0', 'first', 'other')"),
                      functions.lit("Not wanted"));
              return Outcome.done(new Counts(run, 3), RowAccount.of("rows", 5, 3).rejects(rejects));
            },
            Map.of("run-id", "a1"));
    assertThat(summary.rejects()).isEqualTo(Map.of("first", 1L, "other", 1L));
    assertThat(
            spark
                .read()
                .parquet(summary.tables().get("rejects").path())
                .orderBy("id")
                .head()
                .mkString("|"))
        .isEqualTo("example|d0|first|Not wanted|{\"id\":\"d0\",\"text\":\"Text 0\"}");
  }

  @Test
  void theCallersJobGroupStaysAndIsGivenBack() {
    var context = spark.sparkContext();
    var seen = new HashMap<String, @Nullable String>();
    Body looks =
        run -> {
          String[] group = new String[2];
          run.phase(
              "Look",
              () -> {
                group[0] = context.getLocalProperty("spark.jobGroup.id");
                group[1] = context.getLocalProperty("spark.job.description");
                return true;
              });
          seen.put("group", group[0]);
          seen.put("phase", group[1]);
          seen.put("after", context.getLocalProperty("spark.job.description"));
          return done(run, 3);
        };
    run("example", looks, Map.of("run-id", "a1"));
    assertThat(seen)
        .isEqualTo(Map.of("group", "a1", "phase", "example a1: Look", "after", "example a1"));
    assertThat(context.getLocalProperty("spark.jobGroup.id")).isNull();

    context.setJobGroup("cell 7", "A notebook's cell", true);
    try {
      run("example", looks, Map.of("run-id", "a2"));
      assertThat(seen).containsEntry("group", "cell 7").containsEntry("phase", "example a2: Look");
      assertThat(context.getLocalProperty("spark.job.description")).isEqualTo("A notebook's cell");
      assertThat(context.getLocalProperty("spark.job.interruptOnCancel")).isEqualTo("true");
    } finally {
      context.clearJobGroup();
    }
  }

  @Test
  void aJavaCallerIsToldWhatTheCommandLineIsTold() {
    var options =
        new Options(RunOptions.builder().warehouse("").runId("7").build(), -1, 1, 1, List.of());
    assertThatThrownBy(() -> new Example("example", null, JobRunTest::done).run(spark, options))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageStartingWith("3 problems:\n  - Option --warehouse: ")
        .hasMessageContaining("Option --run-id: expected what matches")
        .hasMessageContaining("Option --rows is below 0");
    assertThatThrownBy(() -> run("example", JobRunTest::done, Map.of("rows", "13")))
        .hasMessage("Thirteen rows bring bad luck");
    assertThat(folder.resolve("_runs")).doesNotExist();
  }

  @Test
  void aJavaCallerIsToldHowFarTheJobIs() {
    List<String> lines = new ArrayList<>();
    var options =
        new Options(RunOptions.builder().warehouse(folder.toString()).build(), 1, 1, 1, List.of());
    Body tells =
        run -> {
          run.progress().start("Count", "rows", OptionalLong.of(4), 0);
          run.progress().finish(4, "");
          return done(run);
        };
    new Example("example", null, tells)
        .run(
            spark,
            options,
            update -> lines.add(update.phase() + " " + update.done() + update.total()));
    assertThat(lines).containsExactly("Count 0OptionalLong[4]", "Count 4OptionalLong[4]");
  }

  @Test
  void manySmallPartitionsBecomeOneFile() throws IOException {
    run(
        "example",
        run -> {
          run.write(Tables.DOCUMENTS, documents(spark, 1000).repartition(50));
          return done(run, 1);
        },
        Map.of("run-id", "a", "rows", "0"));
    try (var files = Files.list(folder.resolve("documents/run_id=a"))) {
      assertThat(files.filter(f -> f.toString().endsWith(".parquet"))).hasSize(1);
    }
  }

  @Test
  void ownFilesAreReadWithWhatTheyLackFilledInAndWhatIsWrongListed() throws IOException {
    Path file = folder.resolve("mine.jsonl");
    Files.writeString(file, "{\"text\":\"One\",\"note\":7}\n{\"text\":\"Two\",\"note\":8}\n");
    List<Row> rows = read(file.toString()).orderBy("text").collectAsList();
    assertThat(rows).hasSize(2);
    assertThat(rows.get(0).<String>getAs("source")).isEqualTo("mine.jsonl");
    assertThat(rows.get(0).<String>getAs("license")).isEqualTo("NOASSERTION");
    assertThat(rows.get(0).<String>getAs("id")).hasSize(32).isNotEqualTo(rows.get(1).getAs("id"));
    assertThat(rows.get(0).<Long>getAs("note")).isEqualTo(7);

    Path wrong = folder.resolve("wrong.jsonl");
    Files.writeString(wrong, "{\"text\":{\"a\":1},\"score\":\"high\"}\n");
    assertThatThrownBy(() -> read(wrong.toString()))
        .hasMessageContaining(
            "Column 'text' of table documents must be string, found struct<a:bigint>")
        .hasMessageContaining("Column 'score' of table documents must be double, found string");
    assertThatThrownBy(() -> read(folder + "/nothing*.jsonl")).hasMessageContaining("No file at");
  }
}
