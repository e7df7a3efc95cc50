package dev.distillery.jobs.evaluate;

import static org.apache.spark.sql.functions.coalesce;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.element_at;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sum;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.format.ModelFileException;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.run.ExitCode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Manual;
import dev.distillery.core.run.ModelHash;
import dev.distillery.core.run.RunOptions;
import dev.distillery.jobs.evaluate.EvaluateSummary.Result;
import dev.distillery.model.sample.Student;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.RequestPlan;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.Job;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.Outcome;
import dev.distillery.spark.job.RowAccount;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.TableRef;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.card.BaseModelTerms;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.Example;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.TaskSetup;
import dev.distillery.training.tokens.TemplateChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeMap;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.deploy.SparkHadoopUtil;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.jspecify.annotations.Nullable;

/**
 * Job `evaluate`; its manual is {@link #manual}.
 *
 * <pre>{@code
 * EvaluateOptions options =
 *     EvaluateOptions.builder().model(List.of("out/sft")).tasks(List.of("gpt-papers")).build();
 * EvaluateSummary summary = new EvaluateJob().run(spark, options);
 * summary.results().forEach(r -> System.out.println(r.task() + " " + r.metric() + " " + r.value()));
 * Dataset<Row> rows = spark.read().parquet(summary.tables().get("evaluations").path());
 * }</pre>
 */
public final class EvaluateJob implements Job<EvaluateOptions, EvaluateSummary> {
  private static final int HASH = 12;
  private static final int REPEAT_SITE = 5;

  private final OptionalInt scoringTasks;

  public EvaluateJob() {
    this(OptionalInt.empty());
  }

  /** Scores a model's items in so many tasks of Spark. */
  EvaluateJob(OptionalInt scoringTasks) {
    this.scoringTasks = scoringTasks;
  }

  @Override
  public String name() {
    return "evaluate";
  }

  @Override
  public String purpose() {
    return "Measure students and teachers by tasks: likelihoods, written answers, perplexity.";
  }

  @Override
  public Manual manual() {
    return Manual.of(
        """
        A task is a YAML file: where its rows come from, what the model is shown, what is right,
        what is measured (docs/evaluate.md). Likelihoods and their metrics are those of
        lm-evaluation-harness; an item is never its own shot, shots that do not fit are left out
        and counted, and the item's own prompt is never cut. Each figure has its standard error;
        several --samples give exact metrics pass@k and maj@K, --repeats a standard deviation.
        Students are asked all of it, any other --teacher what has written answers. Executors
        hold one copy of a student each; the same items get the same figures on any number of
        them. A run that was killed goes on under the same --run-id, computes no group of items
        twice and pays for no answer twice.
        """,
        "the rows that task files name, or --task-input; packaged tasks such as arithmetic-2da"
            + " need none.",
        "evaluations, rejects (rules missing_column, answer_not_among_choices, empty,"
            + " longer_than_context, too_few_shots, invalid_choices,"
            + " logprob_not_finite, failed).",
        "distillery evaluate --model out/sft --model base --tasks gpt-papers --num-fewshot 8"
            + " --limit 100");
  }

  @Override
  public Class<EvaluateOptions> optionsType() {
    return EvaluateOptions.class;
  }

  @Override
  public Class<EvaluateSummary> summaryType() {
    return EvaluateSummary.class;
  }

  @Override
  public RunOptions runOptions(EvaluateOptions options) {
    return options.run();
  }

  private static List<PlannedTask> tasks(EvaluateOptions options) {
    return PlannedTask.of(options, SparkHadoopUtil.get().conf());
  }

  @Override
  public void check(EvaluateOptions options) {
    List<PlannedTask> tasks = tasks(options);
    if (options.student()) {
      checkStudents(options, tasks);
    }
    checkDifferent(options);
  }

  /** Two names of one model would share files and answers, and count its items twice. */
  private static void checkDifferent(EvaluateOptions options) {
    Map<String, String> models = new HashMap<>();
    for (String model : options.models()) {
      @Nullable String same =
          hash(options, model).map(hash -> models.put(hash, model)).orElse(null);
      if (same != null) {
        throw JobException.invalid(
            "Option --model: %s and %s are the same to the byte; leave one out"
                .formatted(same, model));
      }
    }
  }

  private static void checkStudents(EvaluateOptions options, List<PlannedTask> tasks) {
    List<String> violations = new ArrayList<>();
    for (String model : options.models()) {
      try (Student student = Student.open(Path.of(model), 1)) {
        BaseModelTerms.of(Path.of(model)).check(model, options.run().use());
        int context = EvaluatedModel.writes(student);
        for (PlannedTask planned : tasks) {
          int most = planned.task().maxNewTokens();
          if (most >= context) {
            violations.add(
                "%s: 'generate.max_new_tokens' is %s, which leaves no room for a prompt in the"
                        .formatted(planned.file().origin(), most)
                    + " context of %s tokens of %s".formatted(context, model));
          }
        }
        if (options.applyChatTemplate()) {
          TemplateInputs told = told(options, model, LocalDate.now(ZoneOffset.UTC));
          var unused = student.chatTemplate(options.template(), told);
        }
      } catch (ModelFileException e) {
        violations.add("Option --model: " + e.getMessage());
      } catch (IllegalArgumentException e) {
        violations.add("Option --apply-chat-template: " + model + ": " + e.getMessage());
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
  }

  private static TemplateInputs told(EvaluateOptions options, String model, LocalDate day)
      throws IOException {
    return TemplateChoice.told(Path.of(model), options.template(), options.templateInputs(), day);
  }

  @Override
  public List<TableRef> inputs(EvaluateOptions options) {
    return TableRef.parse(
        tasks(options).stream().flatMap(task -> task.refs().stream()).distinct().toList());
  }

  /** Other weights, or another task, under the same name give other results. */
  @Override
  public Map<String, String> contents(EvaluateOptions options, Configuration hadoop) {
    Map<String, String> contents = new TreeMap<>();
    for (String model : options.models()) {
      hash(options, model).ifPresent(hash -> contents.put("model content " + model, hash));
    }
    for (PlannedTask planned : PlannedTask.of(options, hadoop)) {
      contents.put("task " + planned.task().name(), StableIds.of(planned.file().text()));
    }
    return contents;
  }

  /** Of the files that answer; a server's model has none here. */
  private static Optional<String> hash(EvaluateOptions options, String model) {
    if (!options.student()) {
      return TeacherAccess.fingerprint(options.asked(model));
    }
    try {
      return Optional.of(ModelHash.of(Path.of(model)));
    } catch (ModelFileException e) {
      throw JobException.invalid("Option --model: " + e.getMessage());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Outcome<EvaluateSummary> perform(JobRun run, EvaluateOptions options) throws IOException {
    if (options.output().isPresent()) {
      var unused = EvaluationPage.file(options.output().get(), run);
    }
    var rows = new TaskRows(run, options);
    List<PlannedTask> tasks = tasks(options);
    Dataset<Row> items =
        tasks.stream()
            .map(rows::items)
            .reduce(Dataset::unionByName)
            .orElseThrow()
            .persist(StorageLevel.DISK_ONLY());
    try {
      long each = run.phase("Read items", () -> counted(tasks, items));
      Map<String, List<Example>> pools = new LinkedHashMap<>();
      for (PlannedTask planned : tasks) {
        pools.put(
            planned.task().name(),
            run.phase("Read shots of " + planned.task().name(), () -> rows.examples(planned)));
      }
      checkShots(tasks, pools);
      return evaluate(run, options, tasks, pools, items, each);
    } finally {
      items.unpersist();
    }
  }

  /** The number of items; a task without one would leave no figure, and no word why. */
  private static long counted(List<PlannedTask> tasks, Dataset<Row> items) {
    Map<String, Long> counts = new HashMap<>();
    items
        .groupBy("task")
        .count()
        .collectAsList()
        .forEach(row -> counts.put(row.getString(0), row.getLong(1)));
    List<String> violations = new ArrayList<>();
    for (PlannedTask planned : tasks) {
      String name = planned.task().name();
      if (!counts.containsKey(name)) {
        violations.add(
            "Task '%s': no item is left of its input %s; give rows by --task-input %s=REF, or leave"
                    .formatted(name, planned.input().orElse(""), name)
                + " the task out");
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
    return counts.values().stream().mapToLong(Long::longValue).sum();
  }

  private static void checkShots(List<PlannedTask> tasks, Map<String, List<Example>> pools) {
    List<String> violations = new ArrayList<>();
    for (PlannedTask planned : tasks) {
      EvalTask task = planned.task();
      if (planned.shots() == 0 || task.isDocument()) {
        continue;
      }
      // An endless generator makes rows of its own for the pool.
      boolean own =
          planned.examples().isEmpty()
              && !(planned.input().isEmpty()
                  && task.input() instanceof EvalTask.Input.Generated made
                  && made.generator().isEndless());
      int others =
          ItemEvaluator.different(task, pools.getOrDefault(task.name(), List.of())) - (own ? 1 : 0);
      if (others < planned.shots()) {
        violations.add(
            "Task '%s': %s shots are asked for, and an item has %s others that ask something else;"
                    .formatted(task.name(), planned.shots(), Math.max(0, others))
                + " give a smaller --num-fewshot, or more rows by --task-examples");
      }
    }
    if (!violations.isEmpty()) {
      throw JobException.invalid(violations);
    }
  }

  private Outcome<EvaluateSummary> evaluate(
      JobRun run,
      EvaluateOptions options,
      List<PlannedTask> tasks,
      Map<String, List<Example>> pools,
      Dataset<Row> items,
      long each)
      throws IOException {
    long all = each * options.models().size() * options.repeats();
    if (run.dryRun() && options.student()) {
      return Outcome.done(
          planned(run, all, Optional.empty(), Optional.empty()), RowAccount.of("items", all, all));
    }
    if (!options.student() && !run.dryRun() && options.models().size() > 1) {
      // Else the first would be paid for before the last is found to be none.
      options.models().forEach(model -> TeacherAccess.look(run, options.asked(model)));
    }
    List<EvaluatedModel> models = new ArrayList<>();
    try {
      Optional<FanoutStop> stop = Optional.empty();
      for (int i = 0; i < options.models().size() * options.repeats() && stop.isEmpty(); i++) {
        String name = options.models().get(i / options.repeats());
        ItemTasks asked = asked(run, options, tasks, pools, name, 1 + i % options.repeats());
        var model = new EvaluatedModel(run, options, asked, scoringTasks);
        models.add(model);
        if (!run.dryRun()) {
          model.evaluate(tasks, items);
          stop = model.stop();
        }
      }
      if (run.dryRun()) {
        return tried(run, options, models, items, all);
      }
      if (stop.isPresent() && !run.publishesPartial()) {
        return Outcome.stopped(
            stop.get().exitCode(),
            stop.get().message(),
            summary(run, all, models, Published.NOTHING));
      }
      return published(run, options, tasks, models, all, stop);
    } finally {
      models.forEach(EvaluatedModel::close);
    }
  }

  /** One model in one repeat; the seed itself is that of the first. */
  private static ItemTasks asked(
      JobRun run,
      EvaluateOptions options,
      List<PlannedTask> tasks,
      Map<String, List<Example>> pools,
      String model,
      int repeat)
      throws IOException {
    long seed = options.run().randomSeed();
    var chat =
        new TaskSetup.Chat(
            options.inDialogue(),
            options.template(),
            options.student() ? told(options, model, run.day()) : TemplateInputs.NONE,
            options.fewshotAsMultiturn());
    Map<String, TaskSetup> setups = new LinkedHashMap<>();
    for (PlannedTask planned : tasks) {
      String name = planned.task().name();
      setups.put(
          name,
          new TaskSetup(
              planned.file(),
              planned.shots(),
              pools.getOrDefault(name, List.of()),
              repeat == 1 ? seed : CounterRandom.key(CounterRandom.key(seed, REPEAT_SITE), repeat),
              chat));
    }
    Optional<String> hash = hash(options, model);
    String identity =
        TeacherAccess.modelName(options.asked(model))
            + hash.map(digits -> "@" + digits.substring(0, HASH)).orElse("");
    run.note("model " + identity, model + hash.map(digits -> ", SHA-256 " + digits).orElse(""));
    return new ItemTasks(
        options.student(),
        model,
        new EvaluationRows(identity, repeat),
        EvaluatedModel.threads(run),
        setups);
  }

  /** What asking teachers would take, and whether each of them answers. */
  private static Outcome<EvaluateSummary> tried(
      JobRun run,
      EvaluateOptions options,
      List<EvaluatedModel> models,
      Dataset<Row> items,
      long all)
      throws IOException {
    List<RequestPlan> plans = new ArrayList<>();
    long requests = 0;
    for (EvaluatedModel model : models) {
      RequestPlan.Counted counted = model.plan(items);
      plans.add(counted.plan());
      requests += counted.requests();
    }
    EvaluateSummary plan =
        planned(run, all, Optional.of(requests), plans.stream().reduce(RequestPlan::plus));
    Outcome<EvaluateSummary> outcome = Outcome.done(plan);
    for (String model : options.models()) {
      outcome = TeacherAccess.tried(run, options.asked(model), plan);
      if (outcome.exitCode() != ExitCode.DONE) {
        break;
      }
    }
    return outcome;
  }

  private static EvaluateSummary planned(
      JobRun run, long all, Optional<Long> requests, Optional<RequestPlan> plan) {
    return new EvaluateSummary(
        run.summary(),
        all,
        all,
        OptionalLong.empty(),
        OptionalLong.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        requests,
        Optional.empty(),
        plan,
        List.of());
  }

  private static EvaluateSummary summary(
      JobRun run, long all, List<EvaluatedModel> models, Published published) {
    return new EvaluateSummary(
        run.summary(),
        all,
        published.evaluated(),
        OptionalLong.of(models.stream().mapToLong(EvaluatedModel::resumed).sum()),
        OptionalLong.of(published.shotsCut()),
        OptionalLong.of(published.shotTokensCut()),
        Optional.of(models.stream().mapToDouble(EvaluatedModel::seconds).sum()),
        Optional.empty(),
        models.stream()
            .flatMap(model -> model.figures().stream())
            .reduce((before, after) -> after.after(before)),
        Optional.empty(),
        published.figures());
  }

  /** What is told of rows that are written. */
  private record Published(
      long evaluated, long shotsCut, long shotTokensCut, List<Result> figures) {
    static final Published NOTHING = new Published(0, 0, 0, List.of());
  }

  private static Outcome<EvaluateSummary> published(
      JobRun run,
      EvaluateOptions options,
      List<PlannedTask> tasks,
      List<EvaluatedModel> models,
      long all,
      Optional<FanoutStop> stop)
      throws IOException {
    Dataset<Row> results =
        models.stream()
            .flatMap(each -> each.rows().stream())
            .reduce(Dataset::unionByName)
            .orElseThrow();
    Column[] columns =
        List.of(Tables.EVALUATIONS.schema().fieldNames()).stream()
            .map(name -> col(name))
            .toArray(Column[]::new);
    long evaluated =
        run.write(Tables.EVALUATIONS, results.where(col("rule").isNull()).select(columns));
    Dataset<Row> dropped = results.where(col("rule").isNotNull());
    Column detail = concat(col("task"), lit(", "), col("model"), lit(": "), col("detail"));
    Map<String, Long> rejects =
        dropped.isEmpty() ? Map.of() : run.reject(dropped, col("rule"), detail, col("row"));
    if (evaluated == 0 && all > 0 && stop.isEmpty()) {
      Row first = dropped.select("model", "task", "id", "detail").orderBy("task", "id").head();
      throw JobException.invalid(
          "No item could be evaluated: %s; the first, %s of '%s' by %s: %s"
              .formatted(
                  new TreeMap<>(rejects),
                  first.getString(2),
                  first.getString(1),
                  first.getString(0),
                  first.getString(3)));
    }
    Dataset<Row> rows = run.staged(Tables.EVALUATIONS.name());
    List<EvalTask> texts = tasks.stream().map(PlannedTask::task).toList();
    List<Result> figures =
        run.phase("Sum up items", () -> TaskFigures.of(rows, texts, options.samples()));
    figures.forEach(result -> run.progress().say(line(result)));
    if (options.output().isPresent()) {
      Map<String, String> students = new LinkedHashMap<>();
      models.stream()
          .filter(model -> options.student())
          .forEach(model -> students.put(model.name(), model.path()));
      EvaluationPage.write(
          EvaluationPage.file(options.output().get(), run), run, tasks, figures, students);
    }
    Column cut = element_at(col("metrics"), ItemEvaluator.SHOT_TOKENS_CUT);
    Row shots = rows.agg(count(cut), coalesce(sum(cut), lit(0.0))).head();
    if (shots.getLong(0) > 0) {
      run.progress()
          .say(
              "%s items were shown fewer shots, so that they fit the context"
                  .formatted(shots.getLong(0)));
    }
    EvaluateSummary summary =
        summary(
            run,
            all,
            models,
            new Published(evaluated, shots.getLong(0), Math.round(shots.getDouble(1)), figures));
    RowAccount account = RowAccount.of("items", all, evaluated).rejects(rejects);
    long open = all - evaluated - rejects.values().stream().mapToLong(Long::longValue).sum();
    return stop.isEmpty()
        ? Outcome.done(summary, account)
        : Outcome.stopped(stop.get().exitCode(), stop.get().message(), summary)
            .with(account.leftOver(open));
  }

  private static String line(Result result) {
    @Nullable Double error = result.stderr();
    @Nullable Double stdev = result.repeatStdev();
    return String.format(
        Locale.ROOT,
        "%s, %s: %s %.4f%s%s, %d items",
        result.model(),
        result.task(),
        result.metric(),
        result.value(),
        error == null ? "" : String.format(Locale.ROOT, " +- %.4f", error),
        stdev == null ? "" : String.format(Locale.ROOT, " (repeats differ by %.4f)", stdev),
        result.items());
  }
}
