package dev.distillery.jobs.serve;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.sample.WrittenToken;
import dev.distillery.model.tokenizer.TokenDecoder;
import dev.distillery.model.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/** Writes what comes of one request in the forms of OpenAI's interface. One thread at a time. */
final class ApiReplies {
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

  /** What stands for a probability of 0, as there. */
  private static final double NEVER = -9999;

  private final ApiRequest request;
  private final String model;
  private final Tokenizer tokenizer;
  private final TokenDecoder spelling;
  private final String id;
  private final long created = System.currentTimeMillis() / 1000;
  private final Said[] said;

  /** What was written of one choice so far. */
  private final class Said {
    private final StringBuilder text = new StringBuilder();
    private final List<WrittenToken> tokens = new ArrayList<>();
    private TokenDecoder offsets = tokenizer.decoder(true);
    private String prompt = "";
    private int first = -1;
    private List<WrittenToken> promptTokens = List.of();
    private int offset;
    private String finish = "";
  }

  /**
   * @param model the name under which the student is served
   */
  ApiReplies(ApiRequest request, String model, Tokenizer tokenizer) {
    this.request = request;
    this.model = model;
    this.tokenizer = tokenizer;
    this.spelling = tokenizer.decoder(false);
    this.id =
        (request.chat() ? "chatcmpl-" : "cmpl-") + UUID.randomUUID().toString().replace("-", "");
    this.said = new Said[request.choices()];
  }

  /** A choice's prompt was read; where it is echoed, it stands before the answer. */
  void prompt(int choice, int[] ids, List<WrittenToken> told) {
    var one = new Said();
    said[choice] = one;
    if (!request.echo()) {
      for (int token : ids) {
        one.offsets.append(token);
      }
      return;
    }
    TokenDecoder decoder = tokenizer.decoder(true);
    var text = new StringBuilder();
    for (int token : ids) {
      text.append(decoder.append(token));
    }
    one.prompt = text.toString();
    one.first = ids[0];
    one.promptTokens = told;
  }

  /** A stream's first events of a choice. */
  List<ObjectNode> beginning(int choice) {
    if (request.chat()) {
      ObjectNode event = envelope("chat.completion.chunk");
      ObjectNode one = choice(event, choice);
      one.putObject("delta").put("role", "assistant").put("content", "");
      one.putNull("logprobs").putNull("finish_reason");
      return List.of(event);
    }
    if (!request.echo()) {
      return List.of();
    }
    ObjectNode event = envelope("text_completion");
    ObjectNode one = choice(event, choice).put("text", said[choice].prompt);
    one.set("logprobs", completionLogprobs(said[choice], List.of(), true));
    one.putNull("finish_reason");
    return List.of(event);
  }

  /** An event of a stretch of an answer. */
  ObjectNode piece(int choice, ServedChoice.Piece piece) {
    ObjectNode event = envelope(request.chat() ? "chat.completion.chunk" : "text_completion");
    ObjectNode one = choice(event, choice);
    if (request.chat()) {
      one.putObject("delta").put("content", piece.text());
      one.set("logprobs", chatLogprobs(piece.tokens()));
    } else {
      one.put("text", piece.text());
      one.set("logprobs", completionLogprobs(said[choice], piece.tokens(), false));
    }
    one.putNull("finish_reason");
    return event;
  }

  /** The events that end a choice. */
  List<ObjectNode> ending(int choice, ServedChoice.Ended ended) {
    List<ObjectNode> events = new ArrayList<>();
    if (!ended.rest().text().isEmpty() || !ended.rest().tokens().isEmpty()) {
      events.add(piece(choice, ended.rest()));
    }
    ObjectNode event = envelope(request.chat() ? "chat.completion.chunk" : "text_completion");
    ObjectNode one = choice(event, choice);
    if (request.chat()) {
      one.putObject("delta");
    } else {
      one.put("text", "");
    }
    one.putNull("logprobs").put("finish_reason", ended.finish());
    events.add(event);
    return events;
  }

  /** A stream's last event. */
  ObjectNode usage(int promptTokens, int writtenTokens) {
    ObjectNode event = envelope(request.chat() ? "chat.completion.chunk" : "text_completion");
    event.putArray("choices");
    putUsage(event, promptTokens, writtenTokens);
    return event;
  }

  /** A choice that is told as a whole. */
  void whole(int choice, ServedChoice.Ended ended) {
    Said one = said[choice];
    one.text.append(ended.rest().text());
    one.tokens.addAll(ended.rest().tokens());
    one.finish = ended.finish();
  }

  /** The answer to a request that wants no stream. */
  ObjectNode body(int promptTokens, int writtenTokens) {
    ObjectNode body = envelope(request.chat() ? "chat.completion" : "text_completion");
    for (int i = 0; i < said.length; i++) {
      ObjectNode one = choice(body, i);
      if (request.chat()) {
        one.putObject("message")
            .put("role", "assistant")
            .put("content", said[i].text.toString())
            .putNull("refusal");
        one.set("logprobs", chatLogprobs(said[i].tokens));
      } else {
        one.put("text", said[i].prompt + said[i].text);
        one.set("logprobs", completionLogprobs(said[i], said[i].tokens, true));
      }
      one.put("finish_reason", said[i].finish);
    }
    putUsage(body, promptTokens, writtenTokens);
    return body;
  }

  private ObjectNode envelope(String object) {
    return JSON.objectNode()
        .put("id", id)
        .put("object", object)
        .put("created", created)
        .put("model", model);
  }

  private static ObjectNode choice(ObjectNode event, int index) {
    return event.withArray("choices").addObject().put("index", index);
  }

  private static void putUsage(ObjectNode body, int promptTokens, int writtenTokens) {
    body.putObject("usage")
        .put("prompt_tokens", promptTokens)
        .put("completion_tokens", writtenTokens)
        .put("total_tokens", promptTokens + writtenTokens);
  }

  private JsonNode chatLogprobs(List<WrittenToken> tokens) {
    if (request.topLogprobs().isEmpty() || tokens.isEmpty()) {
      return JSON.nullNode();
    }
    ObjectNode node = JSON.objectNode();
    ArrayNode content = node.putArray("content");
    for (WrittenToken token : tokens) {
      ObjectNode one = content.addObject();
      write(one, token.id(), token.logProb());
      ArrayNode top = one.putArray("top_logprobs");
      for (int k = 0; k < top(token); k++) {
        write(top.addObject(), token.topIds()[k], token.topLogProbs()[k]);
      }
    }
    node.putNull("refusal");
    return node;
  }

  private int top(WrittenToken token) {
    return Math.min(request.topLogprobs().getAsInt(), token.topIds().length);
  }

  private void write(ObjectNode into, int id, double logProb) {
    byte[] bytes = spelling.bytes(id);
    into.put("token", spelled(bytes)).put("logprob", Math.max(NEVER, logProb));
    ArrayNode all = into.putArray("bytes");
    for (byte one : bytes) {
      all.add(one & 0xFF);
    }
  }

  /**
   * Tokens in the older form: lists side by side. Offsets count characters of the text that is
   * returned.
   *
   * @param prompt whether those of the prompt go before them, where it is echoed
   */
  private JsonNode completionLogprobs(Said one, List<WrittenToken> tokens, boolean prompt) {
    boolean echoes = prompt && one.first >= 0;
    if (request.topLogprobs().isEmpty() || (tokens.isEmpty() && !echoes)) {
      return JSON.nullNode();
    }
    ObjectNode node = JSON.objectNode();
    ArrayNode words = node.putArray("tokens");
    ArrayNode logProbs = node.putArray("token_logprobs");
    ArrayNode tops = node.putArray("top_logprobs");
    ArrayNode offsets = node.putArray("text_offset");
    if (echoes) {
      // Nothing is before the first, so that nothing is known of it.
      words.add(word(one.first));
      logProbs.addNull();
      tops.addNull();
      offsets.add(0);
      move(one, one.first);
    }
    List<WrittenToken> all = new ArrayList<>(echoes ? one.promptTokens : List.of());
    all.addAll(tokens);
    for (WrittenToken token : all) {
      words.add(word(token.id()));
      logProbs.add(Math.max(NEVER, token.logProb()));
      ObjectNode top = tops.addObject();
      for (int k = 0; k < top(token); k++) {
        // Two tokens may be spelled alike; the likelier comes first.
        top.putIfAbsent(
            word(token.topIds()[k]), JSON.numberNode(Math.max(NEVER, token.topLogProbs()[k])));
      }
      if (!top.isEmpty()) {
        // The written one is told even where it is none of the likeliest.
        top.putIfAbsent(word(token.id()), JSON.numberNode(Math.max(NEVER, token.logProb())));
      }
      offsets.add(one.offset);
      move(one, token.id());
    }
    return node;
  }

  private static void move(Said one, int token) {
    String text = one.offsets.append(token);
    one.offset += text.codePointCount(0, text.length());
  }

  private String word(int id) {
    return spelled(spelling.bytes(id));
  }

  /** A token's text; where its bytes are no whole characters, these. */
  private static String spelled(byte[] bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      var text = new StringBuilder("bytes:");
      for (byte one : bytes) {
        text.append(String.format(Locale.ROOT, "\\x%02x", one & 0xFF));
      }
      return text.toString();
    }
  }
}
