package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.teacher.RequestIds;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.RequestCodec;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.ItemException;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/** Makes requests of items (task, id, row) whose answers the student writes. */
final class AskItems implements MapFunction<Row, Row> {
  private static final long serialVersionUID = 1L;
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What an item becomes: a request, or a line of {@link EvaluationRows} that says why not. */
  static final StructType SCHEMA =
      new StructType()
          .add("task", DataTypes.StringType)
          .add("id", DataTypes.StringType)
          .add("row", DataTypes.StringType)
          .add("request_id", DataTypes.StringType)
          .add("request", DataTypes.StringType)
          .add("prompt", DataTypes.StringType)
          .add("metrics", DataTypes.StringType)
          .add("rejected", DataTypes.StringType);

  private final Broadcast<ItemTasks> tasks;
  private final String model;
  private final int context;
  private transient ItemTasks.@Nullable Open open;

  /**
   * @param model as the teacher knows it
   * @param context tokens of prompt and answer
   */
  AskItems(Broadcast<ItemTasks> tasks, String model, int context) {
    this.tasks = tasks;
    this.model = model;
    this.context = context;
  }

  @Override
  public Row call(Row item) {
    ItemTasks.Open now = open == null ? tasks.value().open() : open;
    open = now;
    String task = item.getString(0);
    String id = item.getString(1);
    String row = item.getString(2);
    try {
      ItemEvaluator.Question question = now.question(task, id, EvaluationRows.row(row), context);
      TeacherRequest request = request(now.task(task), id, question);
      return RowFactory.create(
          task,
          id,
          row,
          request.requestId(),
          RequestCodec.toJson(request),
          question.prompt(),
          JSON.writeValueAsString(question.metrics()),
          null);
    } catch (ItemException e) {
      return RowFactory.create(
          task,
          id,
          row,
          null,
          null,
          null,
          null,
          EvaluationRows.rejected(task, id, tasks.value().name(), row, e));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The model's name in tables, which holds its hash, is of the request's place. */
  private TeacherRequest request(EvalTask task, String id, ItemEvaluator.Question question) {
    Sampling plain = Sampling.of(task.maxNewTokens());
    Sampling sampling =
        new Sampling(
            task.maxNewTokens(),
            OptionalDouble.of(0),
            plain.topP(),
            plain.topK(),
            plain.frequencyPenalty(),
            plain.presencePenalty(),
            plain.repetitionPenalty(),
            plain.seed(),
            task.stop());
    List<Message> messages = question.messages();
    Optional<String> prompt =
        messages.isEmpty() ? Optional.of(question.prompt()) : Optional.empty();
    String place = tasks.value().name() + "/" + task.name() + "/" + id;
    return new TeacherRequest(
        RequestIds.of(model, sampling, "{}", prompt, messages, place),
        Optional.of(id),
        model,
        prompt,
        messages,
        sampling,
        "{}");
  }
}
