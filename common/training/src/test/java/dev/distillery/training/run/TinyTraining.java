package dev.distillery.training.run;

import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.RunSummary;
import dev.distillery.core.run.Summary;
import dev.distillery.model.format.ModelConfig;
import dev.distillery.model.format.ModelTensors;
import dev.distillery.model.format.ModelWriter;
import dev.distillery.model.format.SpecialTokens;
import dev.distillery.model.format.TensorType;
import dev.distillery.model.nn.Golden;
import dev.distillery.model.nn.KernelSets;
import dev.distillery.model.nn.Kernels;
import dev.distillery.model.nn.Parameters;
import dev.distillery.model.nn.Weights;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.training.tokens.TokenRows;
import dev.distillery.training.tokens.TokenSequence;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** Runs of a tiny model on random rows, as a job. */
final class TinyTraining {
  /** The job's options. */
  record Options(RunOptions run, TrainingOptions training) {}

  /** Rows in memory of any length, small ids more often than large ones, unequal weights. */
  record RandomRows(long size, long key) implements TokenRows {
    @Override
    public TokenSequence row(long index) {
      long rowKey = CounterRandom.key(key, index);
      int length = 3 + (int) (CounterRandom.uniformDouble(rowKey, 0) * 9);
      int[] ids = new int[length];
      float[] weights = new float[length];
      for (int i = 0; i < length; i++) {
        double uniform = CounterRandom.uniformDouble(rowKey, i + 1);
        ids[i] = (int) (uniform * uniform * uniform * 67);
        weights[i] = i == 0 ? 0 : i % 3 == 0 ? 0.5f : 1;
      }
      return new TokenSequence(
          ids, weights, length > 6 ? new int[] {0, length / 2} : new int[] {0});
    }
  }

  private final SparkSession spark;
  private final Path folder;
  private final Path model;
  final Map<String, String> values = new TreeMap<>();
  TrainingObjective objective = new NextTokenObjective();
  TokenRows rows = new RandomRows(23, 5);
  Optional<TokenRows> eval = Optional.empty();

  /** Training of a fresh model of a golden configuration, in a folder of its own. */
  TinyTraining(SparkSession spark, Path folder, String config) throws IOException {
    this.spark = spark;
    this.folder = folder;
    this.model = folder.resolve("model-" + config);
    if (!Files.exists(model)) {
      write(model, Golden.config(config));
    }
    values.put("model", model.toString());
    values.put("batch-size", "2");
    values.put("gradient-accumulation-steps", "5");
    values.put("learning-rate", "0.01");
    values.put("max-steps", "4");
  }

  private static void write(Path directory, ModelConfig config) throws IOException {
    Files.createDirectories(directory);
    Files.writeString(directory.resolve("merges.txt"), "#version: 0.2\n");
    try (Kernels kernels = KernelSets.create(1);
        Parameters parameters = Weights.fresh(config, kernels, 3)) {
      ModelWriter.write(
          directory,
          config,
          new SpecialTokens(OptionalInt.empty(), List.of(2), OptionalInt.empty()),
          Weights.source(parameters, ModelTensors.of(config)),
          TensorType.F32);
    }
  }

  /** Gives the model a tokenizer of its 67 tokens, the characters from "!" on. */
  TinyTraining spelt() throws IOException {
    String vocabulary =
        IntStream.range(0, 67)
            .mapToObj(
                id -> "\"" + (id == 1 || id == 59 ? "\\" : "") + (char) ('!' + id) + "\": " + id)
            .collect(Collectors.joining(", "));
    Files.writeString(
        model.resolve("tokenizer.json"),
        """
        {"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true},
         "model": {"type": "BPE", "vocab": {%s}, "merges": []}}
        """
            .formatted(vocabulary));
    return this;
  }

  /** With an option. */
  TinyTraining with(String name, Object value) {
    values.put(name, "" + value);
    return this;
  }

  Path output(String runId) {
    return folder.resolve("out-" + runId);
  }

  Path warehouse() {
    return folder.resolve("warehouse");
  }

  /** Runs, or goes on. */
  TinySummary run(String runId) {
    Map<String, List<String>> given = new HashMap<>();
    values.forEach((name, value) -> given.put(name, List.of(value)));
    given.put("output-dir", List.of(output(runId).toString()));
    given.put("warehouse", List.of(warehouse().toString()));
    given.put("run-id", List.of(runId));
    return new TinyJob().run(spark, OptionsBinder.of(Options.class).bind(given));
  }

  /** Lets a finished run be run again, as one whose end was moved. */
  void forget(String runId) throws IOException {
    Files.delete(warehouse().resolve("_runs").resolve(runId + ".json"));
  }

  /** The files that a run left, by name, without checkpoints. */
  Map<String, byte[]> result(String runId) throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(output(runId))) {
      for (Path file : all.filter(Files::isRegularFile).toList()) {
        files.put(file.getFileName().toString(), Files.readAllBytes(file));
      }
    }
    return files;
  }

  /** A run's metrics: step, name and value, without those that tell time. */
  List<String> metrics(String runId) {
    return spark
        .read()
        .parquet(warehouse().resolve("metrics").resolve("run_id=" + runId).toString())
        .orderBy("step", "name")
        .collectAsList()
        .stream()
        .map(row -> row.getAs("step") + " " + row.getAs("name") + " " + row.getAs("value"))
        .toList();
  }

  /** Names of the checkpoints that are kept. */
  List<String> checkpoints(String runId) throws IOException {
    List<String> names = new ArrayList<>();
    try (Stream<Path> all = Files.list(output(runId))) {
      all.map(path -> path.getFileName().toString())
          .filter(name -> name.startsWith("checkpoint-"))
          .sorted()
          .forEach(names::add);
    }
    return names;
  }

  /** Trains. */
  private final class TinyJob implements Job<Options, TinySummary> {
    @Override
    public String name() {
      return "tiny";
    }

    @Override
    public String purpose() {
      return "Train a tiny model.";
    }

    @Override
    public Manual manual() {
      return Manual.of("Trains.", "Nothing.", "metrics");
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
    public Class<TinySummary> summaryType() {
      return TinySummary.class;
    }

    @Override
    public Outcome<TinySummary> perform(JobRun run, Options options) throws Exception {
      TrainingRun training = TrainingRun.of(run, options.training(), 42, objective, rows);
      TrainingRun evaluated = eval.map(training::evaluatedOn).orElse(training);
      return Outcome.done(
          run.dryRun()
              ? new TinySummary(run.summary(), Optional.of(evaluated.plan()), Optional.empty())
              : new TinySummary(run.summary(), Optional.empty(), Optional.of(evaluated.train())),
          RowAccount.of("rows", 0, 0));
    }
  }

  /** What training came to. */
  record TinySummary(RunSummary run, Optional<TrainingPlan> plan, Optional<TrainingResult> result)
      implements Summary {}
}
