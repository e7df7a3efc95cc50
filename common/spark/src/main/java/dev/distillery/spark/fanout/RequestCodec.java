package dev.distillery.spark.fanout;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.MessageJson;
import dev.distillery.core.teacher.Sampling;
import dev.distillery.core.teacher.TeacherRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Requests as JSON, the form in which they travel through Spark. */
public final class RequestCodec {
  private static final ObjectMapper JSON = new ObjectMapper();

  private RequestCodec() {}

  /** One line of JSON; {@link #fromJson} gives an equal request back. */
  public static String toJson(TeacherRequest request) {
    ObjectNode node = JSON.createObjectNode();
    node.put("request_id", request.requestId());
    request.rowId().ifPresent(id -> node.put("id", id));
    node.put("model", request.model());
    request.prompt().ifPresent(prompt -> node.put("prompt", prompt));
    if (request.prompt().isEmpty()) {
      node.set("messages", messages(request.messages()));
    }
    node.set("sampling", sampling(request.sampling()));
    node.put("extra_body", request.extraBody());
    return node.toString();
  }

  /** The request of a line of JSON that {@link #toJson} wrote. */
  public static TeacherRequest fromJson(String json) {
    JsonNode node = read(json);
    var messages = new ArrayList<Message>();
    for (JsonNode message : node.path("messages")) {
      messages.add(message(message));
    }
    JsonNode sampling = node.get("sampling");
    var stop = new ArrayList<String>();
    sampling.path("stop").forEach(text -> stop.add(text.asText()));
    return new TeacherRequest(
        node.get("request_id").asText(),
        text(node, "id"),
        node.get("model").asText(),
        text(node, "prompt"),
        messages,
        new Sampling(
            sampling.get("max_tokens").asInt(),
            number(sampling, "temperature"),
            number(sampling, "top_p"),
            sampling.has("top_k")
                ? OptionalInt.of(sampling.get("top_k").asInt())
                : OptionalInt.empty(),
            number(sampling, "frequency_penalty"),
            number(sampling, "presence_penalty"),
            number(sampling, "repetition_penalty"),
            sampling.has("seed")
                ? OptionalLong.of(sampling.get("seed").asLong())
                : OptionalLong.empty(),
            stop),
        node.get("extra_body").asText());
  }

  /** What was asked, as the column {@code prompt} shows it. */
  static String prompt(TeacherRequest request) {
    return request.prompt().orElseGet(() -> messages(request.messages()).toString());
  }

  /** How it was asked, as the column {@code params} shows it. */
  static String params(TeacherRequest request) {
    ObjectNode node = sampling(request.sampling());
    if (!request.extraBody().equals("{}")) {
      node.set("extra_body", read(request.extraBody()));
    }
    return node.toString();
  }

  private static ArrayNode messages(List<Message> messages) {
    ArrayNode array = JSON.createArrayNode();
    for (Message message : messages) {
      array.add(MessageJson.write(message));
    }
    return array;
  }

  private static Message message(JsonNode node) {
    return new Message(
        node.get("role").asText(),
        node.get("content").asText(""),
        text(node, "name"),
        OptionalDouble.empty(),
        node.has("tool_calls") ? Optional.of(node.get("tool_calls").toString()) : Optional.empty(),
        text(node, "tool_call_id"));
  }

  private static ObjectNode sampling(Sampling sampling) {
    ObjectNode node = JSON.createObjectNode().put("max_tokens", sampling.maxNewTokens());
    sampling.temperature().ifPresent(value -> node.put("temperature", value));
    sampling.topP().ifPresent(value -> node.put("top_p", value));
    sampling.topK().ifPresent(value -> node.put("top_k", value));
    sampling.frequencyPenalty().ifPresent(value -> node.put("frequency_penalty", value));
    sampling.presencePenalty().ifPresent(value -> node.put("presence_penalty", value));
    sampling.repetitionPenalty().ifPresent(value -> node.put("repetition_penalty", value));
    sampling.seed().ifPresent(value -> node.put("seed", value));
    if (!sampling.stop().isEmpty()) {
      ArrayNode stop = node.putArray("stop");
      sampling.stop().forEach(stop::add);
    }
    return node;
  }

  private static Optional<String> text(JsonNode node, String name) {
    return node.has(name) ? Optional.of(node.get(name).asText()) : Optional.empty();
  }

  private static OptionalDouble number(JsonNode node, String name) {
    return node.has(name) ? OptionalDouble.of(node.get(name).asDouble()) : OptionalDouble.empty();
  }

  private static JsonNode read(String json) {
    try {
      return JSON.readTree(json);
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not JSON: " + e.getOriginalMessage(), e);
    }
  }
}
