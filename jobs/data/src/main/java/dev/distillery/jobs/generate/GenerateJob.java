package dev.distillery.jobs.generate;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.prompt.PromptTemplates;
import dev.distillery.core.prompt.SeedTask;
import dev.distillery.core.prompt.SeedTasks;
import dev.distillery.core.prompt.TaskInstance;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.Progress;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.text.UnicodeTokenizer;
import dev.distillery.core.text.WordTokenizer;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutFigures;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.PaidReplies;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.job.RowSpool;
import dev.distillery.spark.license.UsePolicy;
import dev.distillery.spark.warehouse.InstructionRow;
import dev.distillery.spark.warehouse.MetricRow;
import dev.distillery.spark.warehouse.RejectRow;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.Path;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.functions;

/**
 * Job `generate`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * TeacherOptions teacher =
 *     TeacherOptions.builder().teacher(TeacherKind.GGUF).model("model.gguf").build();
 * GenerateOptions options =
 *     GenerateOptions.builder().teacher(teacher).numInstructions(30).build();
 * GenerateSummary summary = new GenerateJob().run(spark, options);
 * System.out.println(summary.instructions() + " new tasks in run " + summary.run().runId());
 * }</pre>
 */
public final class GenerateJob implements Job<GenerateOptions, GenerateSummary> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public String name() {
    return "generate";
  }

  @Override
  public String purpose() {
    return "Grow seed tasks into an instruction set by a teacher (Self-Instruct, Alpaca).";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        Asks a teacher for new tasks, in rounds, until there are enough that pass every filter. The
        same seed and the same replies give the same table on any number of partitions, executors
        and concurrency. A run that is given the same --run-id again goes on where it ended and
        pays for no reply twice; with a larger --num-instructions a finished run goes on too.
        """,
        "seed tasks, JSONL.",
        "instructions, completions, rejects, metrics.",
        "distillery generate --recipe alpaca --num-instructions 1000 --teacher openai --model"
            + " gpt-4o-mini --max-cost-usd 2");
  }

  @Override
  public Class<GenerateOptions> optionsType() {
    return GenerateOptions.class;
  }

  @Override
  public Class<GenerateSummary> summaryType() {
    return GenerateSummary.class;
  }

  @Override
  public RunOptions runOptions(GenerateOptions options) {
    return options.run();
  }

  @Override
  public Map<String, String> contents(GenerateOptions options, Configuration hadoop) {
    Map<String, String> contents = new TreeMap<>();
    contents.put("seed-tasks content", StableIds.of(seeds(options, hadoop).toString()));
    contents.put("prompt-templates content", templates(options).fingerprint());
    TeacherAccess.fingerprint(options.teacher())
        .ifPresent(hash -> contents.put("model content", hash));
    return contents;
  }

  @Override
  public void check(GenerateOptions options) {
    String source = source(options);
    options
        .run()
        .use()
        .flatMap(use -> new UsePolicy(use).objection(source, options.outputLicense()))
        .ifPresent(
            objection -> {
              throw JobException.invalid(
                  "Option --use: "
                      + objection
                      + "; give the license that your teacher's terms allow by --output-license");
            });
    List<SeedTask> seeds = seeds(options, SparkHadoopUtil.get().conf());
    templates(options);
    int shown = options.recipe() == GenerateOptions.RecipeName.ALPACA ? 3 : 8;
    if (seeds.size() < shown) {
      throw JobException.invalid(
          "Option --seed-tasks: a prompt of this recipe shows "
              + shown
              + " seed tasks, found "
              + seeds.size());
    }
  }

  /** What the column source says of the rows. */
  private static String source(GenerateOptions options) {
    return "generate:" + options.recipe().name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static PromptTemplates templates(GenerateOptions options) {
    return PromptTemplates.load(options.promptTemplates().map(java.nio.file.Path::of));
  }

  @Override
  public List<TableRef> inputs(GenerateOptions options) {
    return TableRef.parse(options.reuseCompletions());
  }

  @Override
  public Outcome<GenerateSummary> perform(JobRun run, GenerateOptions options) {
    Configuration hadoop = run.warehouse().hadoop();
    List<SeedTask> seeds = seeds(options, hadoop);
    PromptTemplates templates = templates(options);
    run.note("seed_tasks", options.seedTasks().orElse("packaged") + ", " + seeds.size() + " tasks");
    GenerationRecipe recipe = recipe(options, seeds, templates);
    var pool =
        new TaskPool(seeds, WordTokenizer.named(options.tokenizer()), options.rougeThreshold());
    Optional<Dataset<Row>> paid = PaidReplies.of(run, options.reuseCompletions());
    if (run.dryRun()) {
      return TeacherAccess.tried(
          run,
          options.teacher(),
          GenerateSummary.of(
              run.summary(),
              GeneratePlan.of(options, recipe, pool, TeacherAccess.price(options.teacher()))));
    }
    try (Fanout fanout = TeacherAccess.open(run, options.teacher())) {
      paid.ifPresent(fanout::reuse);
      var sink = new TableSink(run, options);
      var asked = new HashSet<String>();
      var loop =
          new GenerationLoop(
              recipe,
              pool,
              new FirstReplies(
                  requests -> {
                    requests.forEach(request -> asked.add(request.requestId()));
                    return fanout.ask(requests);
                  },
                  recipe,
                  !options.teacher().teacher().isServer(),
                  remedy(run, options),
                  run.progress()::say),
              sink,
              options.numInstructions(),
              options.requestsPerRound(),
              options.maxIdleRounds());
      GenerationCounts counts;
      try {
        counts = followed(run, loop, fanout, options);
      } catch (JobException e) {
        FanoutStop stop = fanout.stopped().orElseThrow(() -> e);
        GenerationCounts soFar = loop.soFar();
        if (run.publishesPartial()) {
          sink.finish();
          run.write(Tables.COMPLETIONS, completions(run, fanout, asked, options));
        }
        return Outcome.stopped(
                stop.exitCode(), stop.message(), GenerateSummary.of(run.summary(), soFar, fanout))
            .with(account(soFar));
      }
      var summary = GenerateSummary.of(run.summary(), counts, fanout);
      if (counts.instructions() == 0) {
        String message =
            "No instruction survived in "
                + counts.rounds()
                + " rounds; rejected by rule: "
                + counts.rejects()
                + "; look at the replies in the run's ledger";
        return Outcome.stopped(ExitCode.QUALITY_GATE, message, summary).with(account(counts));
      }
      sink.finish();
      run.write(Tables.COMPLETIONS, completions(run, fanout, asked, options));
      return Outcome.done(summary, account(counts));
    }
  }

  /**
   * What was asked was made by this run's recipe, under the license that its rows have. The ledger
   * of a run that is made again has replies to what nobody asks any more.
   */
  private static Dataset<Row> completions(
      JobRun run, Fanout fanout, Set<String> asked, GenerateOptions options) {
    Dataset<Row> all = fanout.completions();
    Dataset<Row> ids =
        run.spark().createDataset(List.copyOf(asked), Encoders.STRING()).toDF("request_id");
    return (run.overwrites() ? all.join(ids, new String[] {"request_id"}, "left_semi") : all)
        .withColumn("source", functions.lit(source(options)))
        .withColumn("license", functions.lit(options.outputLicense()));
  }

  private static RowAccount account(GenerationCounts counts) {
    return RowAccount.of("tasks", counts.candidates(), counts.instructions())
        .rejects(counts.rejected(), counts.rejects())
        .leftOver(counts.leftOver());
  }

  private static GenerationCounts followed(
      JobRun run, GenerationLoop loop, Fanout fanout, GenerateOptions options) {
    run.progress().start("Generate", "instructions", OptionalLong.of(options.numInstructions()), 0);
    Supplier<String> detail =
        () -> "round " + (loop.rounds() + 1) + ", " + detail(fanout, loop, options);
    GenerationCounts counts;
    try (Progress.Ticking ticking = run.progress().follow(loop::kept, detail)) {
      counts = loop.run();
    }
    run.progress().finish(loop.kept(), detail.get());
    return counts;
  }

  /** What to do with a teacher whose first replies hold no task. */
  private static String remedy(JobRun run, GenerateOptions options) {
    boolean held = options.teacher().access().extraBody().contains("\"grammar\"");
    return options.teacher().teacher() == TeacherKind.GGUF && !held
        ? "a small model needs a grammar to keep to the form: stop this and try --config"
            + " quickstart, or take a larger model"
        : "look at them in "
            + run.warehouse().ledger(run.id())
            + ": does the model know how to go on with the recipe's prompt?";
  }

  private static String detail(Fanout fanout, GenerationLoop loop, GenerateOptions options) {
    FanoutFigures figures = fanout.figures();
    String projected =
        figures.costUsd().orElse(0.0) > 0 && loop.kept() > 0
            ? String.format(
                Locale.ROOT,
                " of about $%.4f",
                figures.costUsd().get() * options.numInstructions() / loop.kept())
            : "";
    return figures.requests() + " requests, " + fanout.detail(0) + projected;
  }

  private static GenerationRecipe recipe(
      GenerateOptions options, List<SeedTask> seeds, PromptTemplates templates) {
    var requests =
        new Requests(
            TeacherAccess.modelName(options.teacher()),
            options.teacher().maxNewTokens(),
            options.temperature(),
            options.topP(),
            options.teacher().body());
    boolean anyScript = options.tokenizer().equals(UnicodeTokenizer.NAME);
    return switch (options.recipe()) {
      case ALPACA ->
          new AlpacaRecipe(
              seeds,
              templates,
              requests,
              anyScript,
              options.strictParity(),
              options.run().randomSeed());
      case SELF_INSTRUCT ->
          new SelfInstructRecipe(
              seeds,
              templates,
              requests,
              anyScript,
              options.strictParity(),
              options.run().randomSeed());
    };
  }

  private static List<SeedTask> seeds(GenerateOptions options, Configuration hadoop) {
    try (InputStream in = open(options, hadoop)) {
      return SeedTasks.read(in, options.seedTasks().orElse("seed_tasks.jsonl"));
    } catch (FileNotFoundException e) {
      throw JobException.invalid(
          "Option --seed-tasks: no file at '" + options.seedTasks().orElse("") + "'");
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read the seed tasks: " + e.getMessage(), e);
    }
  }

  private static InputStream open(GenerateOptions options, Configuration hadoop)
      throws IOException {
    if (options.seedTasks().isPresent()) {
      Path path = new Path(options.seedTasks().get());
      return path.getFileSystem(hadoop).open(path);
    }
    InputStream packaged = GenerateJob.class.getResourceAsStream("/seed_tasks.jsonl");
    if (packaged == null) {
      throw new IllegalStateException("The jar lacks the resource seed_tasks.jsonl");
    }
    return packaged;
  }

  /** Turns what the loop decides into rows of the run's tables. */
  private static final class TableSink implements GenerationLoop.Sink {
    private final GenerateOptions options;
    private final RowSpool instructions;
    private final RowSpool rejects;
    private final RowSpool metrics;

    TableSink(JobRun run, GenerateOptions options) {
      this.options = options;
      this.instructions = new RowSpool(run, Tables.INSTRUCTIONS);
      this.rejects = new RowSpool(run, Tables.REJECTS);
      this.metrics = new RowSpool(run, Tables.METRICS);
    }

    @Override
    public void kept(FinishedTask finished) {
      AdmittedTask task = finished.task();
      String source = source(options);
      String instruction = task.candidate().instruction();
      for (TaskInstance instance : finished.instances()) {
        instructions.add(
            new InstructionRow(
                    StableIds.of(instruction, instance.input(), instance.output(), source),
                    task.taskId(),
                    instruction,
                    instance.input(),
                    instance.output(),
                    finished.isClassification(),
                    "teacher",
                    source,
                    options.outputLicense(),
                    Optional.of(finished.reply().model()),
                    Optional.of(finished.reply().requestId()),
                    task.mostSimilar(),
                    task.maxSimilarity(),
                    Optional.of(finished.reply().createdAt()))
                .toRow());
      }
    }

    @Override
    public void rejected(String origin, String rule, String detail, String text) {
      String row = JSON.createObjectNode().put("text", text).toString();
      rejects.add(new RejectRow("generate", origin, rule, detail, row).toRow());
    }

    @Override
    public void closed(int round, Map<String, Double> figures) {
      figures.forEach(
          (name, value) ->
              metrics.add(new MetricRow(round, Clock.systemUTC().instant(), name, value).toRow()));
    }

    void finish() {
      instructions.finish();
      rejects.finish();
      metrics.finish();
    }
  }
}
