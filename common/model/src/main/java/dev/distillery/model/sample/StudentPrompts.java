package dev.distillery.model.sample;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.core.random.CounterRandom;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherException;
import dev.distillery.core.teacher.TeacherException.Category;
import dev.distillery.core.teacher.TeacherRequest;
import dev.distillery.core.teacher.TokenLogprob;
import dev.distillery.model.constrain.JsonConstraint;
import dev.distillery.model.constrain.SchemaException;
import dev.distillery.model.constrain.TokenConstraint;
import dev.distillery.model.constrain.TokenMask;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.TokenDecoder;
import dev.distillery.model.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Turns requests into what a batch decodes: tokens, options, and the way back to text. Safe for
 * several threads.
 */
public final class StudentPrompts {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Tokenizer tokenizer;
  private final @Nullable ChatTemplate template;
  private final String whyNoTemplate;
  private final List<Integer> stopIds;
  private final List<Integer> neverIds;
  private final int context;
  private @Nullable TokenMask mask;

  /**
   * A request as tokens.
   *
   * @param text of a reply's tokens
   */
  public record Prepared(
      Generator.Prompt prompt, GenerationOptions options, Function<int[], String> text) {
    /** Tokens of prompt and reply at most. */
    int tokens() {
      return prompt.tokens().length + options.maxNewTokens();
    }
  }

  private StudentPrompts(
      Student student, @Nullable ChatTemplate template, String whyNoTemplate, int context) {
    this.tokenizer = student.tokenizer();
    this.template = template;
    this.whyNoTemplate = whyNoTemplate;
    this.context = context;
    this.stopIds = new ArrayList<>(student.specialTokens().stop());
    if (template != null) {
      // A model's EOS may end its texts, and another token its answers.
      OptionalInt end = tokenizer.id(template.answerEnd());
      if (end.isPresent() && !stopIds.contains(end.getAsInt())) {
        stopIds.add(end.getAsInt());
      }
    }
    // What ends an answer may, whatever the tokenizer says of it.
    this.neverIds =
        IntStream.range(0, student.config().vocabSize())
            .filter(id -> !tokenizer.has(id) && !stopIds.contains(id))
            .boxed()
            .toList();
  }

  /**
   * Prompts for a student.
   *
   * @param templateName of a preset; empty takes the model's own, and where that is none or not
   *     known, dialogues are refused
   * @param inputs what the model's own template is told beside the dialogue
   * @param context tokens of prompt and reply together
   * @throws IllegalArgumentException where there is no such preset
   */
  static StudentPrompts of(
      Student student, String templateName, TemplateInputs inputs, int context) {
    try {
      return new StudentPrompts(student, student.chatTemplate(templateName, inputs), "", context);
    } catch (IllegalArgumentException e) {
      if (!templateName.isEmpty() || inputs.hasArguments()) {
        throw new IllegalArgumentException("Option --chat-template: " + e.getMessage(), e);
      }
      return new StudentPrompts(student, null, String.valueOf(e.getMessage()), context);
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** The form in which dialogues are asked, for the run's record. */
  public String describe() {
    return template == null ? "no chat template" : "chat template " + template.name();
  }

  /**
   * A request's tokens and options.
   *
   * @throws TeacherException where the prompt is empty or too long, a value is out of range, or
   *     there is no form for a dialogue: then the whole run must stop
   */
  Prepared prepare(TeacherRequest request) throws TeacherException {
    JsonNode extra = extra(request.extraBody());
    Optional<JsonConstraint> constraint = constraint(extra);
    boolean dialogue = request.prompt().isEmpty();
    if (dialogue && template == null) {
      throw failure(
          Category.UNKNOWN_MODEL,
          whyNoTemplate + " with --chat-template, or continue prompts with --api completions");
    }
    int[] tokens = dialogue ? dialogue(request.messages()) : text(request.prompt().orElseThrow());
    return prepare(
        row(request),
        tokens,
        request.sampling(),
        TokenLogprob.asked(extra),
        !dialogue || goesOn(request.messages()),
        constraint);
  }

  /**
   * The tokens of a text to continue.
   *
   * @throws TeacherException where a token cannot be made of it
   */
  public int[] text(String prompt) throws TeacherException {
    try {
      return tokenizer.begun(prompt);
    } catch (IllegalArgumentException e) {
      throw failure(Category.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  /**
   * The tokens of a dialogue to answer, up to where the answer begins; a last turn of the assistant
   * is its beginning.
   *
   * @throws TeacherException where there is no form for a dialogue, or it does not take this one
   */
  public int[] dialogue(List<Message> messages) throws TeacherException {
    if (template == null) {
      throw failure(Category.UNKNOWN_MODEL, whyNoTemplate + " with --chat-template");
    }
    try {
      return template.encode(tokenizer, messages, true).ids();
    } catch (IllegalArgumentException e) {
      throw failure(Category.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  /** Whether a dialogue ends in an answer's beginning. */
  public static boolean goesOn(List<Message> messages) {
    return !messages.isEmpty()
        && messages.get(messages.size() - 1).role().equals("assistant")
        && !messages.get(messages.size() - 1).content().isBlank();
  }

  /**
   * Tokens with how they are continued.
   *
   * @param row what draws are made of, next to the position
   * @param told the likeliest tokens that are told of each place of the reply
   * @param goesOn whether the reply goes on in the middle of a text, so that a space at its
   *     beginning is one
   * @param constraint what the reply must be; then it does not go on
   * @throws TeacherException where the prompt is empty or too long, or a value is out of range, or
   *     the model has no tokens for what the constraint needs
   */
  public Prepared prepare(
      long row,
      int[] tokens,
      Sampling sampling,
      int told,
      boolean goesOn,
      Optional<JsonConstraint> constraint)
      throws TeacherException {
    if (goesOn && constraint.isPresent()) {
      throw failure(
          Category.BAD_REQUEST,
          "response_format is for a whole answer to a dialogue: leave its beginning, the last"
              + " message, away");
    }
    if (tokens.length == 0) {
      throw failure(Category.BAD_REQUEST, "The prompt is empty");
    }
    if (tokens.length >= context) {
      throw failure(
          Category.CONTEXT_LENGTH,
          "The prompt has %s tokens and leaves no room in a context of %s"
              .formatted(tokens.length, context));
    }
    try {
      return new Prepared(
          new Generator.Prompt(row, tokens),
          options(sampling, context - tokens.length, told, constraint),
          goesOn ? reply -> continued(tokens, reply) : reply -> tokenizer.decode(reply, true));
    } catch (IllegalArgumentException e) {
      throw failure(Category.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  private GenerationOptions options(
      Sampling sampling, int room, int told, Optional<JsonConstraint> constraint) {
    return new GenerationOptions(
        Math.min(sampling.maxNewTokens(), room),
        sampling.temperature().orElse(1),
        sampling.topK().orElse(0),
        sampling.topP().orElse(1),
        sampling.repetitionPenalty().orElse(1),
        sampling.frequencyPenalty().orElse(0),
        sampling.presencePenalty().orElse(0),
        stopIds,
        sampling.stop().stream().filter(stop -> !stop.isEmpty()).toList(),
        0,
        told,
        neverIds,
        constraint.map(this::overTokens));
  }

  private TokenConstraint overTokens(JsonConstraint constraint) {
    TokenMask tokens = mask();
    return new TokenConstraint(tokens.known(constraint), tokens);
  }

  /** Made with the first reply that needs it. */
  private synchronized TokenMask mask() {
    if (mask == null) {
      mask = new TokenMask(tokenizer, id -> !stopIds.contains(id));
    }
    return mask;
  }

  /**
   * Checks the fields beside the usual.
   *
   * @throws TeacherException which is not taken, and where in it
   */
  void check(String extraBody) throws TeacherException {
    try {
      constraint(extra(extraBody)).ifPresent(constraint -> mask().known(constraint));
    } catch (IllegalArgumentException e) {
      throw failure(Category.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  /** The fields beside the usual, where they are what the student knows. */
  private static JsonNode extra(String extraBody) throws TeacherException {
    try {
      JsonNode extra = JSON.readTree(extraBody);
      List<String> known = List.of("logprobs", "top_logprobs", "response_format");
      boolean logprobs = extra.has("logprobs") || extra.has("top_logprobs");
      if (extra.properties().stream().allMatch(field -> known.contains(field.getKey()))
          && logprobs == TokenLogprob.asked(extra) > 0) {
        return extra;
      }
    } catch (JsonProcessingException e) {
      // Said below.
    }
    throw failure(
        Category.BAD_REQUEST,
        "--teacher student takes no extra fields but response_format, and logprobs with"
            + " top_logprobs, 1 or more: "
            + extraBody);
  }

  private static Optional<JsonConstraint> constraint(JsonNode extra) throws TeacherException {
    try {
      return extra.has("response_format")
          ? JsonConstraint.read(extra.get("response_format"))
          : Optional.empty();
    } catch (SchemaException e) {
      throw failure(Category.BAD_REQUEST, String.valueOf(e.getMessage()));
    }
  }

  /** What a request's draws are made of, next to the position: its seed and its id. */
  private static long row(TeacherRequest request) {
    long key = request.sampling().seed().orElse(0);
    for (int i = 0; i < request.requestId().length(); i++) {
      key = CounterRandom.key(key, request.requestId().charAt(i));
    }
    return key;
  }

  /** The reply as it goes on behind the prompt: some tokenizers drop a text's first space. */
  private String continued(int[] prompt, int[] reply) {
    TokenDecoder decoder = behind(prompt);
    var text = new StringBuilder();
    for (int id : reply) {
      text.append(decoder.append(id));
    }
    return text.append(decoder.finish()).toString();
  }

  /**
   * A decoder of what goes on behind a prompt. A character that the prompt begins and the reply
   * ends comes whole.
   */
  public TokenDecoder behind(int[] prompt) {
    TokenDecoder decoder = tokenizer.decoder(true);
    for (int id : prompt) {
      decoder.append(id);
    }
    return decoder;
  }

  static TeacherException failure(Category category, String message) {
    return new TeacherException(category, 0, Optional.empty(), message);
  }
}
