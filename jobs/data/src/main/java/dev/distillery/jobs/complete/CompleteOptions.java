package dev.distillery.jobs.complete;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.run.Bounds;
import dev.distillery.core.run.OnlyWith;
import dev.distillery.core.run.OptionsBinder;
import dev.distillery.core.run.RunOptions;
import dev.distillery.core.run.Validated;
import dev.distillery.core.run.WithBuilder;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherAccessOptions;
import dev.distillery.core.teacher.TeacherKind;
import dev.distillery.core.teacher.TeacherOptions;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.spark.warehouse.Tables;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/**
 * What job `complete` can be told.
 *
 * @param run what every job can be told
 * @param teacher which model, how fast, for how much
 * @param input tables or files of prompts
 * @param prompt one prompt in place of an input
 * @param template how instruction and input become a prompt
 * @param system a system message before every dialogue
 * @param samples replies to each row
 * @param temperature of sampling; empty is the teacher's own
 * @param topP of sampling; empty is the teacher's own
 * @param topK of sampling; empty is the teacher's own
 * @param repetitionPenalty of sampling; empty is the teacher's own
 * @param stop texts that end a reply
 * @param responseFormat JSON object for the body's {@code response_format}: structured outputs
 * @param reuseCompletions completions of other runs, taken where the request is the same
 * @param keepColumns columns of the input that stand behind those of the table
 * @param sameId what is done about an id that stands for different questions
 * @param logprobs the likeliest tokens that are kept of each place of a reply
 */
@WithBuilder
public record CompleteOptions(
    RunOptions run,
    TeacherOptions teacher,
    @Option(
            names = "--input",
            paramLabel = "REF",
            description =
                "Rows with a column prompt, messages, or instruction (with input): a table,"
                    + " table@run_id, or files of JSONL or Parquet. May be given again.")
        List<String> input,
    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "One prompt in place of --input; the answer goes to standard output.")
        Optional<String> prompt,
    @Option(
            names = "--template",
            paramLabel = "TEXT",
            defaultValue = "{instruction}\n\n{input}",
            description =
                "How instruction and input become a prompt; where a row has no input, what stands"
                    + " after {instruction} is left out.")
        String template,
    @Option(
            names = "--system",
            paramLabel = "TEXT",
            description = "System message before every prompt and dialogue that has none.")
        Optional<String> system,
    @Bounds(atLeast = 1)
        @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "1",
            description = "Answers to each row or item, each a request of its own.")
        int samples,
    @Bounds(atLeast = 0)
        @Option(names = "--temperature", paramLabel = "X", description = "0 is greedy.")
        Optional<Double> temperature,
    @Bounds(above = 0, atMost = 1)
        @Option(names = "--top-p", paramLabel = "X", description = "Nucleus mass.")
        Optional<Double> topP,
    @Bounds(atLeast = 1)
        @Option(
            names = "--top-k",
            paramLabel = "N",
            description = "Most likely tokens to draw from.")
        Optional<Integer> topK,
    @Bounds(above = 0)
        @Option(names = "--repetition-penalty", paramLabel = "X", description = "1 is none.")
        Optional<Double> repetitionPenalty,
    @Option(
            names = "--stop",
            paramLabel = "TEXT",
            description = "Text that ends a reply. May be given again.")
        List<String> stop,
    @Option(
            names = "--response-format",
            paramLabel = "JSON",
            description =
                "The body's response_format, such as a JSON schema. --teacher student honours"
                    + " it in dialogues, or refuses it before it starts: see docs/serve.md.")
        Optional<String> responseFormat,
    @Option(
            names = "--reuse-completions",
            paramLabel = "REF",
            description =
                "Completions that are paid for: taken where request and sample are the same. May be"
                    + " given again.")
        List<String> reuseCompletions,
    @OnlyWith(option = "--input")
        @Option(
            names = "--keep-columns",
            paramLabel = "NAMES",
            split = ",",
            description =
                "Columns of the input that each completion carries too, beside source and license.")
        List<String> keepColumns,
    @Option(
            names = "--same-id",
            defaultValue = "refuse",
            description =
                "Where one id stands for different questions. refuse: end, and name them. apart:"
                    + " ask all; the id of each goes on with # and a hash of its question.")
        SameId sameId,
    @OnlyWith(
            option = "--teacher",
            is = {"openai", "student", "replay"})
        @Bounds(atLeast = 1, atMost = 1000)
        @Option(
            names = "--logprobs",
            paramLabel = "K",
            description =
                "Keep each token that the teacher writes with its log-probability and the K"
                    + " likeliest tokens in its place (column logprobs): what sft --distill learns"
                    + " from. Servers give 20 at most (OpenAI's) or what they are started with.")
        Optional<Integer> logprobs)
    implements Validated {
  /** Named setters over the declared defaults. */
  public static CompleteOptionsBuilder builder() {
    return CompleteOptionsBuilder.builder(OptionsBinder.defaults(CompleteOptions.class));
  }

  /** What is done about different rows of one id; equal ones are one row. */
  public enum SameId {
    REFUSE,
    APART
  }

  /** Most tokens of one reply where the user does not say. */
  static final int MAX_NEW_TOKENS = 512;

  /** An answer of many more tokens with their likeliest ones is longer than one is read. */
  private static final long MOST_ENTRIES = 40_000;

  private static final ObjectMapper JSON = new ObjectMapper();

  @Override
  public List<String> violations() {
    var violations = new ArrayList<String>();
    if (input.isEmpty() == prompt.isEmpty()) {
      violations.add(
          "Options --input and --prompt: expected one of them, found "
              + (input.isEmpty() ? "none" : "both"));
    }
    if (!template.contains("{instruction}")) {
      violations.add(
          "Option --template: expected {instruction} in it, found '" + template + "'; add it");
    }
    Optional<JsonNode> extra = object(teacher.access().extraBody());
    violations.addAll(teacher.costlierRequests("--samples", "--max-new-tokens"));
    List<String> own = List.of(Tables.COMPLETIONS.schema().fieldNames());
    keepColumns.stream()
        .filter(own::contains)
        .forEach(
            name ->
                violations.add(
                    "Option --keep-columns: '"
                        + name
                        + "' is a column of completions itself; "
                        + (List.of("id", "source", "license").contains(name)
                            ? "leave it out, the row's is there"
                            : "rename the input's")));
    if (logprobs.isPresent()) {
      if (extra.isPresent() && (extra.get().has("logprobs") || extra.get().has("top_logprobs"))) {
        violations.add("Option --extra-body: leave logprobs to --logprobs");
      }
      long entries = (logprobs.get() + 1L) * sampling().maxNewTokens();
      if (entries > MOST_ENTRIES) {
        violations.add(
            "Option --logprobs: expected at most "
                + MOST_ENTRIES
                + " entries in an answer, (K + 1) times --max-new-tokens, found "
                + entries
                + "; give one of them lower");
      }
    }
    if (responseFormat.isPresent() && object(responseFormat.get()).isEmpty()) {
      violations.add(
          "Option --response-format: expected a JSON object, found '" + responseFormat.get() + "'");
    }
    if (responseFormat.isPresent()
        && teacher.teacher() == TeacherKind.STUDENT
        && teacher.access().api() == TeacherAccessOptions.Api.COMPLETIONS) {
      violations.add(
          "Option --response-format: expected only with --api chat where --teacher is student");
    }
    return violations;
  }

  private static Optional<JsonNode> object(String text) {
    try {
      return Optional.of(JSON.readTree(text)).filter(JsonNode::isObject);
    } catch (JsonProcessingException e) {
      return Optional.empty();
    }
  }

  /** How replies are drawn. */
  Sampling sampling() {
    return new Sampling(
        teacher.maxNewTokens().orElse(MAX_NEW_TOKENS),
        toDouble(temperature),
        toDouble(topP),
        topK.map(OptionalInt::of).orElse(OptionalInt.empty()),
        OptionalDouble.empty(),
        OptionalDouble.empty(),
        toDouble(repetitionPenalty),
        OptionalLong.empty(),
        stop);
  }

  /** The fields that are merged into each body, structured outputs and log-probabilities too. */
  String extraBody() {
    boolean chat = teacher.access().api() == TeacherAccessOptions.Api.CHAT;
    return logprobs
        .map(count -> TokenLogprob.ask(structured(), chat, count))
        .orElseGet(this::structured);
  }

  private String structured() {
    if (responseFormat.isEmpty()) {
      return teacher.body();
    }
    try {
      var body = (com.fasterxml.jackson.databind.node.ObjectNode) JSON.readTree(teacher.body());
      body.set("response_format", JSON.readTree(responseFormat.get()));
      return body.toString();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Checked before: " + e.getMessage(), e);
    }
  }

  private static OptionalDouble toDouble(Optional<Double> value) {
    return value.map(OptionalDouble::of).orElse(OptionalDouble.empty());
  }
}
