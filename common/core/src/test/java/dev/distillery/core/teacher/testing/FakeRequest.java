package dev.distillery.core.teacher.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * One request as {@link FakeLlmServer} saw it.
 *
 * @param id the client's {@code X-Client-Request-Id}, else a hash of the body
 * @param time how often the id had been seen before: 0 the first time
 * @param arrivalMillis since the server's start
 * @param chat whether it came to {@code /chat/completions}
 * @param body what was asked; a missing node where it was not JSON
 * @param authorization the header's value, empty where there was none
 */
public record FakeRequest(
    String id, int time, long arrivalMillis, boolean chat, JsonNode body, String authorization) {

  private static final ObjectMapper JSON = new ObjectMapper();

  static JsonNode parse(byte[] body) {
    try {
      return JSON.readTree(body);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  static String hash(byte[] body) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(body), 0, 16);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is part of every Java platform", e);
    }
  }

  /** The model that was asked. */
  public String model() {
    return body.path("model").asText("");
  }

  /** The prompt, or the last message's content. */
  public String prompt() {
    JsonNode messages = body.path("messages");
    return chat
        ? messages.path(messages.size() - 1).path("content").asText("")
        : body.path("prompt").asText("");
  }

  /** Blank-separated words of the prompt or of all messages: the fake model's tokens. */
  public int promptTokens() {
    if (!chat) {
      return FakeAnswer.words(prompt());
    }
    int tokens = 0;
    for (JsonNode message : body.path("messages")) {
      tokens += FakeAnswer.words(message.path("content").asText(""));
    }
    return tokens;
  }

  /** A number in [0, 1) that hangs on the id, the time, the salt and the seed alone. */
  public double draw(String salt, long seed) {
    byte[] key = (seed + " " + salt + " " + id + " " + time).getBytes(StandardCharsets.UTF_8);
    return Long.parseLong(hash(key).substring(0, 13), 16) / (double) (1L << 52);
  }
}
