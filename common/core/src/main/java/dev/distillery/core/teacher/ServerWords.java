package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;

/** Makes a server's own words fit to be shown: short, on one line, without key or prompt. */
final class ServerWords {
  private static final int LONGEST = 300;

  /** A server that repeats this many characters of a prompt is quoting it. */
  private static final int QUOTE = 20;

  private ServerWords() {}

  /**
   * The error's code and message in one line, empty where it has none. A message that repeats the
   * request's text is left out; the key is blotted out.
   *
   * @param error an {@code error} object, a string, or a missing node
   */
  static String of(JsonNode error, Secret apiKey, TeacherRequest request) {
    String code = error.path("code").asText(error.path("type").asText(""));
    String message = error.isTextual() ? error.textValue() : error.path("message").asText("");
    if (quotes(message, request)) {
      message = "(the server's message repeats the prompt and is not shown)";
    }
    String words = (code.isEmpty() ? "" : code + ": ") + message;
    if (!apiKey.isEmpty()) {
      words = words.replace(apiKey.reveal(), "***");
    }
    words = words.replaceAll("[\\p{Cntrl}\\s]+", " ").strip();
    return words.length() > LONGEST ? words.substring(0, LONGEST) + " ..." : words;
  }

  private static boolean quotes(String message, TeacherRequest request) {
    return request.prompt().filter(prompt -> quotes(message, prompt)).isPresent()
        || request.messages().stream().anyMatch(m -> quotes(message, m.content()));
  }

  private static boolean quotes(String message, String text) {
    if (text.length() <= QUOTE) {
      return !text.isBlank() && message.contains(text);
    }
    for (int i = 0; i + QUOTE <= message.length(); i++) {
      if (text.contains(message.substring(i, i + QUOTE))) {
        return true;
      }
    }
    return false;
  }
}
