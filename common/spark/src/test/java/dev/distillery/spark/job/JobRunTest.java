package dev.distillery.spark.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.Figures;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.JobSummary;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.spark.testing.LocalSpark;
import dev.distillery.spark.warehouse.RunRecord;
import dev.distillery.spark.warehouse.RunRecords;
import dev.distillery.spark.warehouse.TableReader;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
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
      @dev.distillery.core.run.Tunable @Option(names = "--speed", defaultValue = "1") int speed) {}

  record Counts(long kept) implements Figures {
    @Override
    public Map<String, Long> rejects() {
      return Map.of("empty", 1L);
    }

    @Override
    public Map<String, Number> figures() {
      return Map.of("kept", kept);
    }
  }

  /** Writes as many documents as it is told, or ends as it is told. */
  record Example(String name, @Nullable String content, JobRun.Body ending)
      implements Job<Options> {
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
    public RunOptions runOptions(Options options) {
      return options.run();
    }

    @Override
    public Map<String, String> contents(Options options, Configuration hadoop) {
      return content == null ? Map.of() : Map.of("words content", content);
    }

    @Override
    public JobSummary run(SparkSession spark, Options options) {
      return JobRun.execute(
          spark,
          this,
          options,
          run -> {
            if (!run.dryRun() && options.rows() > 0) {
              run.write(Tables.DOCUMENTS, documents(spark, options.rows()));
            }
            return ending.run(run);
          });
    }
  }

  private static final JobRun.Body DONE = run -> Outcome.done(new Counts(3));

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

  private JobSummary run(String job, JobRun.Body ending, Map<String, String> options) {
    return run(job, null, ending, options);
  }

  private JobSummary run(
      String job, @Nullable String content, JobRun.Body ending, Map<String, String> options) {
    var given = new HashMap<String, List<String>>();
    given.put("warehouse", List.of(folder.toString()));
    options.forEach((name, value) -> given.put(name, List.of(value)));
    return new Example(job, content, ending)
        .run(spark, OptionsBinder.of(Options.class).bind(given));
  }

  private Dataset<Row> read(String ref) {
    return new TableReader(spark, warehouse, note -> {})
        .read(TableRef.parse(ref), Tables.DOCUMENTS)
        .rows();
  }

  @Test
  void publishesItsRowsThenItsRecord() {
    JobSummary summary = run("example", DONE, Map.of("run-id", "a1", "rows", "5"));

    assertThat(summary.tables().get("documents").rows()).isEqualTo(5);
    assertThat(folder.resolve("documents/run_id=a1")).isDirectory();
    assertThat(folder.resolve("_staging/a1")).doesNotExist();
    assertThat(folder.resolve("_leases/a1/000001")).doesNotExist();
    RunRecord record = new RunRecords(warehouse).find("a1").orElseThrow();
    assertThat(record.status()).isEqualTo("done");
    assertThat(record.json().path("tables").path("documents").path("rows").asLong()).isEqualTo(5);
    assertThat(record.json().path("licenses").path("documents").path("CC0-1.0").asLong())
        .isEqualTo(5);
    assertThat(record.json().path("options").path("rows").asText()).isEqualTo("5");
    assertThat(record.json().path("summary").toString()).isEqualTo(summary.toString());
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
          return Outcome.done(new Counts(5));
        },
        Map.of("run-id", "a1", "rows", "0"));
    assertThat(
            new RunRecords(warehouse).find("a1").orElseThrow().json().path("licenses").toString())
        .isEqualTo("{\"documents\":{\"Apache-2.0\":1,\"MIT\":4}}");
  }

  @Test
  void refusesAnInputThatTheUseDoesNotAllow() {
    run("example", DONE, Map.of("run-id", "free"));
    JobRun.Body other =
        job -> {
          job.write(
              Tables.DOCUMENTS,
              documents(spark, 2).withColumn("license", functions.lit("CC-BY-NC-4.0")));
          return Outcome.done(new Counts(2));
        };
    run("example", other, Map.of("run-id", "bound", "rows", "0"));
    JobRun.Body reads =
        job -> {
          job.input("documents@free", Tables.DOCUMENTS);
          job.input("documents@bound", Tables.DOCUMENTS);
          return Outcome.done(new Counts(0));
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
    JobSummary first = run("example", DONE, Map.of("run-id", "a1"));
    JobSummary again =
        run(
            "example",
            run -> {
              throw new AssertionError("The body ran again");
            },
            Map.of("run-id", "a1", "speed", "9"));
    assertThat(again.toString()).isEqualTo(first.toString());
  }

  @Test
  void theSameIdWithOtherOptionsOrOfAnotherJobIsRefused() {
    run("example", DONE, Map.of("run-id", "a1"));
    assertThatThrownBy(() -> run("example", DONE, Map.of("run-id", "a1", "rows", "4")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("--rows was 3, now 4");
    assertThatThrownBy(() -> run("other", DONE, Map.of("run-id", "a1")))
        .hasMessageContaining("belongs to a run of example");
  }

  @Test
  void theSameIdWithAnotherContentOfTheFilesThatItsOptionsNameIsRefused() {
    run("example", "a", DONE, Map.of("run-id", "a1"));
    assertThat(run("example", "a", DONE, Map.of("run-id", "a1")).status()).isEqualTo("done");
    assertThatThrownBy(() -> run("example", "b", DONE, Map.of("run-id", "a1")))
        .hasMessageContaining("--words content was a, now b");
  }

  @Test
  void aRunThatStopsShowsNoRowsAndMayGoOn() {
    JobSummary partial =
        run(
            "example",
            run -> Outcome.stopped(ExitCode.PARTIAL, "The budget is spent", new Counts(1)),
            Map.of("run-id", "a1"));
    assertThat(partial.status()).isEqualTo("partial");
    assertThat(partial.toString()).contains("\"message\":\"The budget is spent\"");
    assertThat(folder.resolve("documents")).doesNotExist();
    assertThatThrownBy(() -> read("documents"))
        .hasMessageContaining("No finished run")
        .hasMessageContaining("has a table 'documents'");

    assertThat(run("example", DONE, Map.of("run-id", "a1")).status()).isEqualTo("done");
    assertThat(read("documents@a1").count()).isEqualTo(3);
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
    assertThat(record.json().path("exit_code").asInt()).isEqualTo(3);
    assertThat(record.json().path("message").asText()).isEqualTo("Column 'text' is missing");
  }

  @Test
  void aSecondLiveDriverOnAnIdIsTurnedAwayAndADeadOneIsNot() throws IOException {
    try (RunLease lease = RunLease.take(warehouse, "a1", Map.of(), said -> {})) {
      assertThat(lease.driver()).startsWith(ProcessHandle.current().pid() + "@");
      assertThatThrownBy(() -> run("example", DONE, Map.of("run-id", "a1")))
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
    assertThat(run("example", DONE, Map.of("run-id", "a1")).status()).isEqualTo("done");
    assertThat(mark).doesNotExist();
  }

  @Test
  void aDriverThatHasLostItsRunWritesNoRecordAndAFinishedRunStaysFinished() throws IOException {
    JobRun.Body losesItsLease =
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

    JobRun.Body finishedElsewhere =
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
    JobRun.Body twice =
        run -> {
          run.write(Tables.DOCUMENTS, documents(spark, 1));
          return Outcome.done(new Counts(1));
        };
    assertThatThrownBy(() -> run("example", twice, Map.of("run-id", "a1")))
        .isInstanceOfSatisfying(
            JobException.class, e -> assertThat(e.exitCode()).isEqualTo(ExitCode.INVALID))
        .hasMessageContaining("writes the table 'documents' for another purpose too");
    JobRun.Body outside =
        run -> {
          run.write(Tables.DOCUMENTS, "../escaped", documents(spark, 1));
          return Outcome.done(new Counts(1));
        };
    assertThatThrownBy(() -> run("example", outside, Map.of("run-id", "a2")))
        .hasMessageContaining("'../escaped' is no table's name");
    assertThat(folder.resolveSibling("escaped")).doesNotExist();
  }

  @Test
  void aRecordThatCannotBeReadDoesNotHideTheOthers() throws IOException {
    run("example", DONE, Map.of("run-id", "a1"));
    Files.writeString(folder.resolve("_runs/broken.json"), "{\"run_id\": ");
    assertThat(read("documents").count()).isEqualTo(3);
    assertThatThrownBy(() -> read("documents@broken")).hasMessageContaining("is not JSON");
  }

  @Test
  void anExhaustedMemoryLeavesARecord() {
    JobRun.Body greedy =
        run -> {
          throw new OutOfMemoryError("Java heap space");
        };
    assertThatThrownBy(() -> run("example", greedy, Map.of("run-id", "a1")))
        .hasMessageContaining("The driver is out of memory (Java heap space)");
    assertThat(new RunRecords(warehouse).find("a1").orElseThrow().status()).isEqualTo("failed");
  }

  @Test
  void aRecordIsThereAtEveryMomentOfItsReplacement() throws Exception {
    run("example", DONE, Map.of("run-id", "a1"));
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
    assertThat(run("example", DONE, Map.of("dry-run", "true")).status()).isEqualTo("dry-run");
    try (var files = Files.list(folder)) {
      assertThat(files).isEmpty();
    }
  }

  @Test
  void theNewestFinishedRunIsWhatATablesNameMeans() {
    run("example", DONE, Map.of("run-id", "b", "rows", "1"));
    run("example", DONE, Map.of("run-id", "a", "rows", "2"));
    assertThat(read("documents").count()).isEqualTo(2);
    assertThat(read("documents@b").count()).isEqualTo(1);
    assertThatThrownBy(() -> read("documants")).hasMessageContaining("did you mean documents?");
    assertThatThrownBy(() -> read("documents@c")).hasMessageContaining("under the run id 'c'");
  }

  @Test
  void manySmallPartitionsBecomeOneFile() throws IOException {
    run(
        "example",
        run -> {
          run.write(Tables.DOCUMENTS, documents(spark, 1000).repartition(50));
          return Outcome.done(new Counts(1));
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
