package dev.distillery.jobs.complete;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.run.JobException;
import dev.distillery.core.teacher.RequestIds;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.spark.fanout.RequestCodec;
import dev.distillery.spark.warehouse.MessageRows;
import dev.distillery.spark.warehouse.StableIds;
import dev.distillery.spark.warehouse.Tables;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.FlatMapFunction;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/**
 * Makes requests of rows: of {@code messages} where the row has them, else of {@code prompt}, else
 * of {@code instruction} and {@code input} by a template; {@code tools} that the row has go along.
 * A row's id and the sample's number are the request's place.
 */
final class PromptRows implements FlatMapFunction<Row, String> {
  private static final long serialVersionUID = 1L;
  private static final String INSTRUCTION = "{instruction}";

  /** How every request is asked; plain, as it travels to executors. */
  record Form(
      String model,
      int maxNewTokens,
      @Nullable Double temperature,
      @Nullable Double topP,
      @Nullable Integer topK,
      @Nullable Double repetitionPenalty,
      List<String> stop,
      String extraBody,
      String template,
      @Nullable String system,
      boolean chat,
      int samples,
      long randomSeed)
      implements Serializable {

    static Form of(CompleteOptions options, String model, boolean chat) {
      Sampling sampling = options.sampling();
      return new Form(
          model,
          sampling.maxNewTokens(),
          options.temperature().orElse(null),
          options.topP().orElse(null),
          options.topK().orElse(null),
          options.repetitionPenalty().orElse(null),
          List.copyOf(options.stop()),
          options.extraBody(),
          options.template(),
          options.system().orElse(null),
          chat,
          options.samples(),
          options.run().randomSeed());
    }

    /** How one reply is drawn: its seed comes of the run's, the row and the sample. */
    private Sampling sampling(String rowId, int sample) {
      Sampling plain = Sampling.of(maxNewTokens);
      return new Sampling(
          maxNewTokens,
          temperature == null ? plain.temperature() : java.util.OptionalDouble.of(temperature),
          topP == null ? plain.topP() : java.util.OptionalDouble.of(topP),
          topK == null ? plain.topK() : java.util.OptionalInt.of(topK),
          plain.frequencyPenalty(),
          plain.presencePenalty(),
          repetitionPenalty == null
              ? plain.repetitionPenalty()
              : java.util.OptionalDouble.of(repetitionPenalty),
          java.util.OptionalLong.of(StableIds.seed(randomSeed, rowId, "" + sample)),
          stop);
    }
  }

  private final Form form;

  PromptRows(Form form) {
    this.form = form;
  }

  @Override
  public Iterator<String> call(Row row) {
    List<Message> messages = messages(row);
    Optional<String> prompt = messages.isEmpty() ? Optional.of(prompt(row)) : Optional.empty();
    if (prompt.isPresent() && (form.chat() || form.system() != null)) {
      messages = withSystem(List.of(new Message("user", prompt.get())));
      prompt = Optional.empty();
    }
    return requests(text(row, "id").orElse(""), prompt, messages, extraBody(row)).iterator();
  }

  /** What is merged into the requests of a row: the tools that it names among it. */
  private String extraBody(Row row) {
    return text(row, Tables.TOOLS)
        .flatMap(ToolDefinitions::of)
        .map(tools -> ToolDefinitions.into(form.extraBody(), tools))
        .orElse(form.extraBody());
  }

  /** The requests of one row, as many as samples. */
  private Stream<String> requests(
      String rowId, Optional<String> prompt, List<Message> messages, String extraBody) {
    return IntStream.range(0, form.samples())
        .mapToObj(
            sample -> RequestCodec.toJson(request(rowId, sample, prompt, messages, extraBody)));
  }

  private TeacherRequest request(
      String rowId, int sample, Optional<String> prompt, List<Message> messages, String extraBody) {
    Sampling sampling = form.sampling(rowId, sample);
    return new TeacherRequest(
        RequestIds.of(form.model(), sampling, extraBody, prompt, messages, rowId + "/" + sample),
        Optional.of(rowId),
        form.model(),
        prompt,
        messages,
        sampling,
        extraBody);
  }

  private List<Message> messages(Row row) {
    if (!has(row, "messages")) {
      return List.of();
    }
    return withSystem(MessageRows.read(row.getList(row.fieldIndex("messages"))));
  }

  private List<Message> withSystem(List<Message> messages) {
    boolean has = !messages.isEmpty() && messages.get(0).role().equals("system");
    if (form.system() == null || has || messages.isEmpty()) {
      return messages;
    }
    var all = new ArrayList<Message>();
    all.add(new Message("system", form.system()));
    all.addAll(messages);
    return all;
  }

  private String prompt(Row row) {
    return text(row, "prompt")
        .or(
            () ->
                text(row, "instruction")
                    .map(instruction -> filled(instruction, text(row, "input"))))
        .orElseThrow(
            () ->
                JobException.invalid(
                    "Row '"
                        + text(row, "id").orElse("")
                        + "' has no prompt, messages or instruction; its columns are "
                        + Arrays.toString(row.schema().fieldNames())));
  }

  /** The template with its two places filled in one pass, so that a text may hold braces itself. */
  private String filled(String instruction, Optional<String> input) {
    String template = form.template();
    int place = template.indexOf(INSTRUCTION);
    String head = template.substring(0, place);
    String tail = template.substring(place + INSTRUCTION.length());
    return head
        + instruction
        + input
            .filter(text -> !text.isBlank())
            .map(text -> tail.replace("{input}", text))
            .orElse("");
  }

  private static Optional<String> text(Row row, String column) {
    return has(row, column) ? Optional.of(row.getString(row.fieldIndex(column))) : Optional.empty();
  }

  private static boolean has(Row row, String column) {
    return Arrays.asList(row.schema().fieldNames()).contains(column)
        && !row.isNullAt(row.fieldIndex(column));
  }
}
