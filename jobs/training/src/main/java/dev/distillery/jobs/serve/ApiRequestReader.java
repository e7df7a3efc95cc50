package dev.distillery.jobs.serve;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.model.constrain.JsonConstraint;
import dev.distillery.model.constrain.SchemaException;
import dev.distillery.model.sample.StudentPrompts;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;

/**
 * Reads the body of a request. A member that would change the answer and is not honoured is refused
 * by its name; null, 0, false and what is empty ask for nothing.
 */
final class ApiRequestReader {
  /** Choices of one request. */
  static final int MOST_CHOICES = 128;

  private static final int MOST_TOP_LOGPROBS = 20;
  private static final int MOST_STOPS = 16;
  private static final int MOST_STOP_LENGTH = 1000;

  /** What OpenAI's interface takes for the length of a completion. */
  private static final int COMPLETION_TOKENS = 16;

  private static final String FORMAT = "response_format";

  private static final ObjectMapper JSON =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

  /** Members that are for the server's books, or that ask for what is done anyway. */
  private static final Set<String> PASSED =
      Set.of(
          "user",
          "metadata",
          "store",
          "safety_identifier",
          "prompt_cache_key",
          "prompt_cache_retention",
          "service_tier",
          "parallel_tool_calls");

  private final ObjectNode body;
  private final boolean chat;
  private final Set<String> read = new TreeSet<>();

  private ApiRequestReader(ObjectNode body, boolean chat) {
    this.body = body;
    this.chat = chat;
  }

  /**
   * The request of a body.
   *
   * @param chat whether it came to {@code /v1/chat/completions}
   * @throws ApiException where it is not as the interface has it, naming the member
   */
  static ApiRequest read(byte[] body, boolean chat) throws ApiException {
    return new ApiRequestReader(object(body), chat).read();
  }

  /** The JSON object that a body is. */
  static ObjectNode object(byte[] body) throws ApiException {
    JsonNode node;
    try {
      node = JSON.readTree(body);
    } catch (JsonProcessingException e) {
      throw ApiException.of(400, "invalid_json", "The body is no JSON: " + e.getOriginalMessage());
    } catch (IOException e) {
      throw ApiException.of(400, "invalid_json", "The body is no JSON in UTF-8");
    }
    if (!(node instanceof ObjectNode object)) {
      throw ApiException.of(400, "invalid_json", "The body is no JSON object");
    }
    return object;
  }

  private ApiRequest read() throws ApiException {
    List<Message> messages = chat ? messages(take("messages"), "messages") : List.of();
    List<ApiRequest.Prompt> prompts = chat ? List.of() : prompts();
    boolean echo = !chat && flag("echo");
    int length = length(echo);
    int n = (int) whole("n", 1, MOST_CHOICES).orElse(1);
    if (prompts.size() * n > MOST_CHOICES) {
      throw ApiException.parameter(
          "n",
          "%s prompts of %s answers each are more than %s answers"
              .formatted(prompts.size(), n, MOST_CHOICES));
    }
    boolean stream = flag("stream");
    var request =
        new ApiRequest(
            text("model"),
            messages,
            prompts,
            sampling(Math.max(1, length)),
            n,
            stream,
            stream && usage(),
            echo,
            logprobs(),
            length == 0,
            chat ? constraint(messages) : Optional.empty());
    refuseTheRest(n);
    return request;
  }

  private Optional<JsonConstraint> constraint(List<Message> messages) throws ApiException {
    JsonNode given = take(FORMAT);
    if (given.isMissingNode() || !asks(given)) {
      return Optional.empty();
    }
    Optional<JsonConstraint> constraint;
    try {
      constraint = JsonConstraint.read(given);
    } catch (SchemaException e) {
      String message = String.valueOf(e.getMessage());
      throw ApiException.parameter(FORMAT, message.replaceFirst("^" + FORMAT + "[. ]", ""));
    }
    if (constraint.isPresent() && StudentPrompts.goesOn(messages)) {
      throw ApiException.parameter(
          FORMAT, "it is for a whole answer: leave its beginning, the last message, away");
    }
    return constraint;
  }

  private Sampling sampling(int length) throws ApiException {
    return new Sampling(
        length,
        number("temperature", 0, 2),
        topP(),
        topK(),
        number("frequency_penalty", -2, 2),
        number("presence_penalty", -2, 2),
        number("repetition_penalty", 0.01, 100),
        whole("seed", Long.MIN_VALUE, Long.MAX_VALUE),
        stops());
  }

  private OptionalDouble topP() throws ApiException {
    OptionalDouble given = number("top_p", 0, 1);
    if (given.isPresent() && given.getAsDouble() == 0) {
      throw ApiException.parameter("top_p", "expected more than 0 and at most 1, found 0");
    }
    return given;
  }

  /** As other servers have it, -1 takes all. */
  private OptionalInt topK() throws ApiException {
    OptionalLong given = whole("top_k", -1, Integer.MAX_VALUE);
    return given.isPresent()
        ? OptionalInt.of((int) Math.max(0, given.getAsLong()))
        : OptionalInt.empty();
  }

  /**
   * The dialogue that a member is.
   *
   * @param name of the member
   */
  static List<Message> messages(JsonNode given, String name) throws ApiException {
    if (!given.isArray() || given.isEmpty()) {
      throw ApiException.parameter(name, "expected a list of messages");
    }
    List<Message> messages = new ArrayList<>();
    Set<String> unread = new TreeSet<>();
    for (JsonNode message : given) {
      try {
        messages.add(MessageJson.read(message, messages.size(), unread::add));
      } catch (MessageJson.UnreadableException e) {
        throw ApiException.parameter(name, e.detail());
      }
      if (!unread.isEmpty()) {
        throw ApiException.parameter(
            name, "message " + messages.size() + " has what is not read here: " + quoted(unread));
      }
    }
    return messages;
  }

  private List<ApiRequest.Prompt> prompts() throws ApiException {
    JsonNode given = take("prompt");
    if (given.isTextual()) {
      return List.of(new ApiRequest.TextPrompt(given.textValue()));
    }
    if (!given.isArray() || given.isEmpty()) {
      throw ApiException.parameter(
          "prompt", "expected a text, a list of texts, tokens, or a list of lists of tokens");
    }
    if (given.get(0).isNumber()) {
      return List.of(tokens(given));
    }
    if (given.size() > MOST_CHOICES) {
      throw ApiException.parameter(
          "prompt", "%s prompts are more than %s".formatted(given.size(), MOST_CHOICES));
    }
    List<ApiRequest.Prompt> prompts = new ArrayList<>();
    for (JsonNode one : given) {
      if (!one.isTextual() && !(one.isArray() && !one.isEmpty())) {
        throw ApiException.parameter(
            "prompt", "prompt " + (prompts.size() + 1) + " is neither a text nor tokens");
      }
      prompts.add(one.isTextual() ? new ApiRequest.TextPrompt(one.textValue()) : tokens(one));
    }
    return prompts;
  }

  private static ApiRequest.TokenPrompt tokens(JsonNode list) throws ApiException {
    int[] ids = new int[list.size()];
    for (int i = 0; i < ids.length; i++) {
      JsonNode id = list.get(i);
      if (!id.canConvertToInt() || !id.isIntegralNumber() || id.intValue() < 0) {
        throw ApiException.parameter("prompt", "no token at place " + (i + 1) + ": " + shown(id));
      }
      ids[i] = id.intValue();
    }
    return new ApiRequest.TokenPrompt(ids);
  }

  /** Tokens of an answer at most; 0 where nothing is to be written. */
  private int length(boolean echo) throws ApiException {
    int least = echo ? 0 : 1;
    OptionalLong given = whole("max_tokens", least, Integer.MAX_VALUE);
    OptionalLong newer =
        chat ? whole("max_completion_tokens", least, Integer.MAX_VALUE) : OptionalLong.empty();
    if (given.isPresent() && newer.isPresent() && !given.equals(newer)) {
      throw ApiException.parameter(
          "max_tokens", "max_completion_tokens says otherwise; give one of them");
    }
    long without = chat ? Integer.MAX_VALUE : COMPLETION_TOKENS;
    return (int) newer.orElse(given.orElse(without));
  }

  private OptionalInt logprobs() throws ApiException {
    if (!chat) {
      JsonNode given = take("logprobs");
      // False asks for none, and 0 for those of the written tokens.
      if (given.isMissingNode() || (given.isBoolean() && !given.booleanValue())) {
        return OptionalInt.empty();
      }
      return OptionalInt.of((int) whole("logprobs", 0, MOST_TOP_LOGPROBS).orElseThrow());
    }
    boolean wanted = flag("logprobs");
    OptionalLong top = whole("top_logprobs", 0, MOST_TOP_LOGPROBS);
    if (!wanted && top.orElse(0) > 0) {
      throw ApiException.parameter("top_logprobs", "it needs logprobs: true");
    }
    return wanted ? OptionalInt.of((int) top.orElse(0)) : OptionalInt.empty();
  }

  private boolean usage() throws ApiException {
    JsonNode options = take("stream_options");
    if (options.isMissingNode()) {
      return false;
    }
    if (!options.isObject()
        || !(options.path("include_usage").isMissingNode()
            || options.path("include_usage").isBoolean())) {
      throw ApiException.parameter(
          "stream_options", "expected {\"include_usage\": true or false}, found " + shown(options));
    }
    for (var option : options.properties()) {
      if (!Set.of("include_usage", "include_obfuscation").contains(option.getKey())
          && MessageJson.saysSomething(option.getValue())) {
        throw ApiException.parameter("stream_options", "not known here: " + shown(options));
      }
    }
    return options.path("include_usage").asBoolean(false);
  }

  private List<String> stops() throws ApiException {
    JsonNode given = take("stop");
    List<String> stops = new ArrayList<>();
    if (given.isTextual()) {
      stops.add(given.textValue());
    } else if (given.isArray()) {
      for (JsonNode one : given) {
        if (!one.isTextual()) {
          throw ApiException.parameter("stop", "no text: " + shown(one));
        }
        stops.add(one.textValue());
      }
    } else if (!given.isMissingNode() && !given.isNull()) {
      throw ApiException.parameter("stop", "expected a text or texts, found " + shown(given));
    }
    stops.removeIf(String::isEmpty);
    if (stops.size() > MOST_STOPS
        || stops.stream().anyMatch(stop -> stop.length() > MOST_STOP_LENGTH)) {
      throw ApiException.parameter(
          "stop",
          "expected at most %s texts of %s characters".formatted(MOST_STOPS, MOST_STOP_LENGTH));
    }
    return stops;
  }

  private void refuseTheRest(int n) throws ApiException {
    take("stream_options");
    for (var member : body.properties()) {
      String name = member.getKey();
      JsonNode value = member.getValue();
      if (!read.contains(name) && !PASSED.contains(name) && asks(value) && !harmless(name, n)) {
        throw ApiException.parameter(
            name, "not honoured here, and it would change the answer: leave it out");
      }
    }
  }

  /** Whether a member asks for what is done anyway. */
  private boolean harmless(String name, int n) {
    JsonNode value = body.path(name);
    return switch (name) {
      case FORMAT -> value.path("type").asText().equals("text") && value.size() == 1;
      case "best_of" -> value.isIntegralNumber() && value.intValue() == n;
      case "modalities" -> value.size() == 1 && value.path(0).asText().equals("text");
      case "add_generation_prompt" -> value.isBoolean();
      case "tool_choice" -> Set.of("none", "auto").contains(value.asText());
      default -> false;
    };
  }

  private static boolean asks(JsonNode value) {
    boolean nothing =
        (value.isNumber() && value.doubleValue() == 0)
            || (value.isBoolean() && !value.booleanValue());
    return !nothing && MessageJson.saysSomething(value);
  }

  private JsonNode take(String name) {
    read.add(name);
    JsonNode value = body.path(name);
    return value.isNull() ? MissingNode.getInstance() : value;
  }

  private boolean flag(String name) throws ApiException {
    JsonNode value = take(name);
    if (!value.isMissingNode() && !value.isBoolean()) {
      throw ApiException.parameter(name, "expected true or false, found " + shown(value));
    }
    return value.asBoolean(false);
  }

  private Optional<String> text(String name) throws ApiException {
    JsonNode value = take(name);
    if (!value.isMissingNode() && !value.isTextual()) {
      throw ApiException.parameter(name, "expected a text, found " + shown(value));
    }
    return Optional.ofNullable(value.textValue());
  }

  private OptionalDouble number(String name, double least, double most) throws ApiException {
    JsonNode value = take(name);
    if (value.isMissingNode()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
      throw ApiException.parameter(
          name, "expected a number from %s to %s, found %s".formatted(least, most, shown(value)));
    }
    return OptionalDouble.of(value.doubleValue());
  }

  private OptionalLong whole(String name, long least, long most) throws ApiException {
    JsonNode value = take(name);
    if (value.isMissingNode()) {
      return OptionalLong.empty();
    }
    // 16.0 is a whole number in JSON.
    boolean whole =
        value.isNumber()
            && (value.canConvertToLong()
                && (value.isIntegralNumber() || value.doubleValue() == value.longValue()));
    if (!whole || value.longValue() < least || value.longValue() > most) {
      throw ApiException.parameter(
          name,
          "expected a whole number from %s to %s, found %s".formatted(least, most, shown(value)));
    }
    return OptionalLong.of(value.longValue());
  }

  private static String quoted(Set<String> names) {
    return names.stream().limit(5).map(name -> shortened(name)).toList().toString();
  }

  private static String shown(JsonNode value) {
    return shortened(value.toString());
  }

  private static String shortened(String text) {
    return text.length() > 60 ? text.substring(0, 60) + "..." : text;
  }
}
