package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.teacher.RequestIds;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.RequestCodec;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.ItemException;
import java.io.Serializable;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalLong;
import java.util.stream.IntStream;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Makes requests of items (task, id, row) whose answers the model writes, one for each sample. */
final class AskItems implements FlatMapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SAMPLE_SITE = 4;

  /** Servers take seeds of 31 bits for certain. */
  private static final int SEED_SHIFT = 33;

  /**
   * What a sample of an item becomes: a request, or a line of {@link EvaluationRows} that says why
   * not. What is of the item itself stands with its first sample.
   */
  static final StructType SCHEMA =
      new StructType()
          .add("task", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("sample", DataTypes.IntegerType)
          .add("request_id", DataTypes.StringType)
          .add("request", DataTypes.StringType)
          .add("row", DataTypes.StringType)
          .add("prompt", DataTypes.StringType)
          .add("metrics", DataTypes.StringType)
          .add("rejected", DataTypes.StringType);

  /**
   * How answers are asked for.
   *
   * @param model as the teacher knows it
   * @param extraBody fields of each request's body, a JSON object
   * @param context tokens of prompt and answer of a student
   * @param samples answers to an item
   * @param temperature 0 is greedy
   */
  record Form(String model, String extraBody, int context, int samples, double temperature)
      implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  private final Broadcast<ItemTasks> tasks;
  private final Form form;
  private transient ItemTasks.@Nullable Open open;

  AskItems(Broadcast<ItemTasks> tasks, Form form) {
    this.tasks = tasks;
    this.form = form;
  }

  @Override
  public Iterator<Row> call(Row item) {
    ItemTasks.Open now = open == null ? tasks.value().open() : open;
    open = now;
    String task = item.getString(0);
    String id = item.getString(1);
    String row = item.getString(2);
    try {
      ItemEvaluator.Question question =
          now.question(task, id, EvaluationRows.row(row), form.context());
      String metrics = JSON.writeValueAsString(question.metrics());
      return IntStream.range(0, form.samples())
          .mapToObj(
              sample -> {
                TeacherRequest request =
                    request(now.task(task), id, question, sample, now.seed(task));
                boolean first = sample == 0;
                return RowFactory.create(
                    task,
                    id,
                    sample,
                    request.requestId(),
                    RequestCodec.toJson(request),
                    first ? row : null,
                    first ? shown(question, request) : null,
                    first ? metrics : null,
                    null);
              })
          .iterator();
    } catch (ItemException e) {
      String rejected = tasks.value().rows().rejected(task, id, row, e);
      return List.of(RowFactory.create(task, id, 0, null, null, null, null, null, rejected))
          .iterator();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A student's template is ours, and its marks are shown; a teacher's is its own. */
  private static String shown(ItemEvaluator.Question question, TeacherRequest request) {
    return question.prompt().isEmpty() ? request.promptText() : question.prompt();
  }

  /** The model's name in tables, which holds its hash, is of the request's place. */
  private TeacherRequest request(
      EvalTask task, String id, ItemEvaluator.Question question, int sample, long seed) {
    Sampling sampling = sampling(task, id, sample, seed);
    List<Message> messages = question.messages();
    Optional<String> prompt =
        messages.isEmpty() ? Optional.of(question.prompt()) : Optional.empty();
    EvaluationRows rows = tasks.value().rows();
    String place =
        rows.model()
            + "/"
            + task.name()
            + "/"
            + id
            + (rows.repeat() == 1 ? "" : "/repeat " + rows.repeat())
            + (sample == 0 ? "" : "/sample " + sample);
    return new TeacherRequest(
        RequestIds.of(form.model(), sampling, form.extraBody(), prompt, messages, place),
        Optional.of(id),
        form.model(),
        prompt,
        messages,
        sampling,
        form.extraBody());
  }

  private Sampling sampling(EvalTask task, String id, int sample, long seed) {
    Sampling plain = Sampling.of(task.maxNewTokens());
    long key = CounterRandom.key(CounterRandom.key(seed, SAMPLE_SITE), task.name());
    long own = CounterRandom.key(CounterRandom.key(key, id), sample) >>> SEED_SHIFT;
    return new Sampling(
        task.maxNewTokens(),
        OptionalDouble.of(form.temperature()),
        plain.topP(),
        plain.topK(),
        plain.frequencyPenalty(),
        plain.presencePenalty(),
        plain.repetitionPenalty(),
        form.temperature() > 0 ? OptionalLong.of(own) : plain.seed(),
        task.stop());
  }
}
