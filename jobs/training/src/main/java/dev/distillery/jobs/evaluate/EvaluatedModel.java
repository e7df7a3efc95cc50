package dev.distillery.jobs.evaluate;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.collect_list;
import static org.apache.spark.sql.functions.from_json;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.pmod;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.sort_array;
import static org.apache.spark.sql.functions.struct;
import static org.apache.spark.sql.functions.xxhash64;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.run.JobException;
import dev.distillery.core.run.Progress;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.model.sample.Student;
import dev.distillery.model.sample.StudentEngine;
import dev.distillery.spark.fanout.Fanout;
import dev.distillery.spark.fanout.FanoutFigures;
import dev.distillery.spark.fanout.FanoutStop;
import dev.distillery.spark.fanout.RequestPlan;
import dev.distillery.spark.fanout.TeacherAccess;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.job.ShippedModel;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.ItemException;
import dev.distillery.training.evaluate.TaskFile;
import dev.distillery.training.evaluate.WrittenAnswers;
import dev.distillery.training.student.SharedStudent;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;
import org.jspecify.annotations.Nullable;

/**
 * The results of one model: scores in files of a few items each in the run's {@link JobRun#work}
 * folder, answers in its ledger. Both are there when the run is begun again.
 */
final class EvaluatedModel implements AutoCloseable {
  /** Items of a file, where that does not make too many files. */
  private static final long ITEMS_A_FILE = 8;

  private static final long MOST_FILES = 2000;

  /** Items differ in length, so there are more tasks of Spark than cores. */
  private static final int TASKS_A_CORE = 4;

  /** What is done is known by tasks of Spark. */
  private static final long ITEMS_A_TASK = 16;

  private final JobRun run;
  private final EvaluateOptions options;
  private final ItemTasks tasks;
  private final OptionalInt scoringTasks;
  private final Broadcast<ItemTasks> sent;
  private final List<Dataset<Row>> results = new ArrayList<>();
  private final List<Dataset<Row>> held = new ArrayList<>();
  private long resumed;
  private double seconds;
  private @Nullable FanoutFigures figures;
  private @Nullable FanoutStop stop;

  /**
   * @param scoringTasks tasks of Spark that score; empty for as many as suit cores and items
   */
  EvaluatedModel(JobRun run, EvaluateOptions options, ItemTasks tasks, OptionalInt scoringTasks) {
    this.run = run;
    this.options = options;
    this.tasks = tasks;
    this.scoringTasks = scoringTasks;
    // Pools of shots would make each task of Spark large.
    this.sent = JavaSparkContext.fromSparkContext(run.spark().sparkContext()).broadcast(tasks);
  }

  /** Cores that a task's model computes with; 0 for all of this machine's. */
  static int threads(JobRun run) {
    SparkContext context = run.spark().sparkContext();
    return context.isLocal() ? 0 : context.getConf().getInt("spark.executor.cores", 0);
  }

  /** Tokens of prompt and answer of what a student writes. */
  static int writes(Student student) {
    return Math.min(StudentEngine.DEFAULT_CONTEXT, student.config().maxPositions());
  }

  /** Evaluates the model, or takes what is there. */
  void evaluate(List<PlannedTask> planned, Dataset<Row> items) throws IOException {
    if (!tasks.student()) {
      ask(items);
      return;
    }
    ShippedModel.ship(run.spark().sparkContext(), tasks.model());
    Object[] written =
        planned.stream()
            .filter(each -> each.task().generates())
            .map(each -> each.task().name())
            .toArray();
    if (written.length < planned.size()) {
      score(items.where(col("task").isin(written).unary_$bang()));
    }
    if (written.length > 0) {
      SharedStudent.release();
      ask(items.where(col("task").isin(written)));
    }
  }

  /** The model as tables name it. */
  String name() {
    return tasks.name();
  }

  /** Where it lies. */
  String path() {
    return tasks.model();
  }

  /** What asking for written answers took; empty where nothing was asked. */
  Optional<FanoutFigures> figures() {
    return Optional.ofNullable(figures);
  }

  /** Why asking ended before all was answered. */
  Optional<FanoutStop> stop() {
    return Optional.ofNullable(stop);
  }

  /** Results in {@link EvaluationRows#SCHEMA}; empty before it is evaluated. */
  Optional<Dataset<Row>> rows() {
    return results.stream().reduce(Dataset::unionByName);
  }

  /** Items whose results an earlier try had left. */
  long resumed() {
    return resumed;
  }

  /** Time that scoring and writing took. */
  double seconds() {
    return seconds;
  }

  private void score(Dataset<Row> items) throws IOException {
    int repeat = tasks.rows().repeat();
    Path folder = new Path(run.work(), tasks.hash() + (repeat == 1 ? "" : "-" + repeat));
    if (run.overwrites()) {
      run.warehouse().delete(folder);
    }
    SparkContext context = run.spark().sparkContext();
    long all = items.count();
    int buckets = (int) Math.max(1, Math.min(MOST_FILES, all / ITEMS_A_FILE));
    Dataset<Row> bucketed =
        items.select(
            pmod(xxhash64(col("task"), col("id")), lit((long) buckets)).cast("int").as("bucket"),
            col("task"),
            col("id"),
            col("row"));
    Set<Integer> done = done(folder);
    Dataset<Row> open =
        done.isEmpty()
            ? bucketed
            : bucketed.where(col("bucket").isin(done.toArray()).unary_$bang());
    long left = done.isEmpty() ? all : open.count();
    resumed += all - left;
    if (left > 0) {
      long begun = System.nanoTime();
      LongAccumulator scored = context.longAccumulator("items");
      Progress progress = run.progress();
      progress.start("score " + tasks.name(), "items", OptionalLong.of(all), all - left);
      try (Progress.Ticking ticking =
          progress.follow(() -> Math.min(all, all - left + scored.value()), () -> "")) {
        long suited =
            Math.max((long) context.defaultParallelism() * TASKS_A_CORE, left / ITEMS_A_TASK);
        int tasksOfSpark = scoringTasks.orElse((int) Math.min(buckets, suited));
        var work =
            new ScoreItems(
                sent,
                folder.toString(),
                new SerializableConfiguration(run.warehouse().hadoop()),
                scored);
        run.phase(
            "Score items by " + tasks.name(),
            () -> {
              open.repartition(tasksOfSpark, col("bucket"))
                  .sortWithinPartitions("bucket", "task", "id")
                  .javaRDD()
                  .foreachPartition(work);
              return left;
            });
      }
      progress.finish(all, "");
      seconds += since(begun);
    }
    results.add(run.spark().read().schema(EvaluationRows.SCHEMA).json(folder.toString()));
  }

  private static double since(long begun) {
    return (System.nanoTime() - begun) / 1e9;
  }

  /** Buckets whose results are there. */
  private Set<Integer> done(Path folder) throws IOException {
    Set<Integer> done = new HashSet<>();
    try {
      for (FileStatus file : run.warehouse().files().listStatus(folder)) {
        String name = file.getPath().getName();
        if (name.matches("bucket-\\d+\\.json")) {
          done.add(Integer.parseInt(name.replaceAll("\\D", "")));
        }
      }
    } catch (FileNotFoundException e) {
      // Nothing is done.
    }
    return done;
  }

  /** The items as requests and rejected lines, in {@link AskItems#SCHEMA}. */
  private Dataset<Row> asked(Dataset<Row> items) throws IOException {
    TeacherOptions teacher = options.asked(tasks.model());
    int context = 0;
    if (tasks.student()) {
      try (Student student = Student.open(java.nio.file.Path.of(tasks.model()), 1)) {
        context = writes(student);
      }
    }
    var form =
        new AskItems.Form(
            TeacherAccess.modelName(teacher),
            teacher.body(),
            context,
            options.samples(),
            options.writtenAt());
    Dataset<Row> asked =
        items
            .repartition(run.spark().sparkContext().defaultParallelism(), col("id"))
            .flatMap(new AskItems(sent, form), Encoders.row(AskItems.SCHEMA))
            .persist(StorageLevel.DISK_ONLY());
    held.add(asked);
    return asked;
  }

  private static Dataset<String> requests(Dataset<Row> asked) {
    return asked
        .where(col("request").isNotNull())
        .select(col("request").as("value"))
        .as(Encoders.STRING());
  }

  /** What asking for written answers would take; opens no model. */
  RequestPlan.Counted plan(Dataset<Row> items) throws IOException {
    return RequestPlan.of(requests(asked(items)), options.asked(tasks.model()));
  }

  private void ask(Dataset<Row> items) throws IOException {
    Dataset<Row> asked = asked(items);
    Dataset<String> requests = requests(asked);
    Dataset<String> lines =
        asked.where(col("rejected").isNotNull()).select("rejected").as(Encoders.STRING());
    if (!requests.isEmpty()) {
      try (Fanout fanout = TeacherAccess.open(run, options.asked(tasks.model()))) {
        long begun = System.nanoTime();
        try {
          fanout.ask(requests, run.progress());
        } catch (JobException e) {
          stop = fanout.stopped().orElseThrow(() -> e);
        }
        seconds += since(begun);
        figures = fanout.figures();
        resumed += figures.resumed() / options.samples();
        if (stop == null || run.publishesPartial()) {
          Dataset<Row> answers =
              fanout
                  .completions(requests)
                  .select("request_id", "status", "text", "error")
                  .persist(StorageLevel.DISK_ONLY());
          held.add(answers);
          var unused = answers.count();
          lines = lines.union(answered(asked, answers));
        }
      }
    }
    Dataset<Row> parsed =
        lines
            .toDF("line")
            .select(from_json(col("line"), EvaluationRows.SCHEMA).as("line"))
            .select("line.*")
            .persist(StorageLevel.DISK_ONLY());
    held.add(parsed);
    results.add(parsed);
  }

  /** Items all of whose samples have come to an end. */
  private Dataset<String> answered(Dataset<Row> asked, Dataset<Row> answers) {
    return asked
        .join(answers, "request_id")
        .groupBy("task", "id")
        .agg(
            max("row"),
            max("prompt"),
            max("metrics"),
            sort_array(collect_list(struct("sample", "status", "text", "error"))).as("replies"))
        .where(size(col("replies")).equalTo(options.samples()))
        .map(new Answered(tasks.rows(), tasks.files()), Encoders.STRING());
  }

  /** Makes results of answers: (task, id, row, prompt, metrics, replies). */
  private static final class Answered implements MapFunction<Row, String> {
    private static final long serialVersionUID = 1L;

    private final EvaluationRows rows;
    private final Map<String, TaskFile> files;
    private transient @Nullable Map<String, EvalTask> known;

    Answered(EvaluationRows rows, Map<String, TaskFile> files) {
      this.rows = rows;
      this.files = files;
    }

    private EvalTask task(String name) {
      Map<String, EvalTask> now = known == null ? new HashMap<>() : known;
      known = now;
      return now.computeIfAbsent(name, each -> Objects.requireNonNull(files.get(each)).task());
    }

    @Override
    public String call(Row item) {
      String task = item.getString(0);
      String id = item.getString(1);
      String row = item.getString(2);
      List<String> answers = new ArrayList<>();
      for (Row reply : item.<Row>getList(5)) {
        if (!reply.getString(1).equals("ok")) {
          return rows.rejected(task, id, row, "failed", "" + reply.getString(3));
        }
        answers.add(reply.isNullAt(2) ? "" : reply.getString(2));
      }
      Map<String, Double> counted = new TreeMap<>();
      JsonNode told = EvaluationRows.row(item.getString(4));
      told.properties().forEach(each -> counted.put(each.getKey(), each.getValue().asDouble()));
      var question = new ItemEvaluator.Question(item.getString(3), List.of(), counted);
      try {
        return rows.line(
            task,
            id,
            WrittenAnswers.of(task(task), id, EvaluationRows.row(row), question, answers));
      } catch (ItemException e) {
        return rows.rejected(task, id, row, e);
      }
    }
  }

  @Override
  public void close() {
    sent.destroy();
    held.forEach(Dataset::unpersist);
    SharedStudent.release();
  }
}
