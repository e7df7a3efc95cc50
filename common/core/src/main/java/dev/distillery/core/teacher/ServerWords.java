package dev.distillery.core.teacher;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.core.dialogue.Message;
import java.util.HashSet;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Makes a server's own words fit to be shown: short, on one line, without key or prompt. */
final class ServerWords {
  private static final int LONGEST = 300;

  /** A server that repeats this many characters of a prompt is quoting it. */
  private static final int QUOTE = 20;

  private static final Pattern BREAKS = Pattern.compile("[\\p{Cntrl}\\s]+");

  private ServerWords() {}

  /**
   * The error's code and message in one line, empty where it has none. A message that repeats the
   * request's text is left out; the key is blotted out.
   *
   * @param error an {@code error} object, a string, or a missing node
   */
  static String of(JsonNode error, Secret apiKey, TeacherRequest request) {
    String code = shown(error.path("code").asText(error.path("type").asText("")), apiKey);
    String message =
        shown(error.isTextual() ? error.textValue() : error.path("message").asText(""), apiKey);
    if (quotes(message, texts(request))) {
      message = "(the server's message repeats the prompt and is not shown)";
    }
    return shortened((code.isEmpty() ? "" : code + ": ") + message);
  }

  /**
   * Whether an error's message repeats a text of the request, its tools among them, that itself
   * speaks of a key or of money: then what it says of these may be no word of the server's.
   */
  static boolean repeats(JsonNode error, TeacherRequest request) {
    return quotes(
        onOneLine(error.path("message").asText("")),
        Stream.concat(texts(request), Stream.of(onOneLine(request.extraBody())))
            .filter(ServerErrors::speaksOfKeyOrMoney));
  }

  /** What of a text may be shown: one line, without the key, no longer than anybody reads. */
  private static String shown(String text, Secret apiKey) {
    String blotted = apiKey.isEmpty() ? text : text.replace(apiKey.reveal(), "***");
    return shortened(onOneLine(blotted));
  }

  private static String onOneLine(String text) {
    return BREAKS.matcher(text).replaceAll(" ").strip();
  }

  private static String shortened(String words) {
    return words.length() > LONGEST ? words.substring(0, LONGEST) + " ..." : words;
  }

  private static Stream<String> texts(TeacherRequest request) {
    return Stream.concat(
            request.prompt().stream(), request.messages().stream().map(Message::content))
        .map(ServerWords::onOneLine);
  }

  private static boolean quotes(String message, Stream<String> texts) {
    var pieces = new HashSet<String>();
    for (int i = 0; i + QUOTE <= message.length(); i++) {
      pieces.add(message.substring(i, i + QUOTE));
    }
    return texts.anyMatch(text -> quotes(message, pieces, text));
  }

  /** In one pass over the text: it may be as long as a context, and the message is short. */
  private static boolean quotes(String message, Set<String> pieces, String text) {
    if (text.length() <= QUOTE) {
      return !text.isEmpty() && message.contains(text);
    }
    for (int i = 0; i + QUOTE <= text.length() && !pieces.isEmpty(); i++) {
      if (pieces.contains(text.substring(i, i + QUOTE))) {
        return true;
      }
    }
    return false;
  }
}
