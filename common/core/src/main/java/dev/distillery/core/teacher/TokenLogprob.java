package dev.distillery.core.teacher;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * A token that a teacher wrote, with how likely it found that and others in its place. It is asked
 * for by fields of the extra body, as in OpenAI's protocol: {@link #ask}.
 *
 * @param token the token written out; what is no whole character of UTF-8 is not told apart
 * @param id in the teacher's vocabulary; empty where it does not say
 * @param logprob natural logarithm of its probability after all before it, before temperature and
 *     penalties where the teacher tells that; finite
 * @param top the likeliest tokens in its place, the likeliest first; mostly the token is among them
 */
public record TokenLogprob(String token, OptionalInt id, double logprob, List<Top> top) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** How servers of vLLM write a token where they are asked for its id. */
  private static final String ID_PREFIX = "token_id:";

  /** How vocabularies write a token that ends a text; nothing, where it is told by id. */
  private static final Pattern END_MARK =
      Pattern.compile("|(?!</?(?:think|tool_calls?)>)<[^<>\\s]{1,60}>|\\[[^\\[\\]\\s]{1,30}\\]");

  /** A part of a character, as servers write it. */
  private static final Pattern HALF = Pattern.compile("\uFFFD|\\\\x\\p{XDigit}|<0x\\p{XDigit}{2}>");

  /** White space, as texts and as vocabularies write it. */
  private static final Pattern BLANKS = Pattern.compile("[\\s\u0120\u010A\u2581]+");

  /**
   * One of the likeliest tokens.
   *
   * @param token written out
   * @param id in the teacher's vocabulary; empty where it does not say
   * @param logprob natural logarithm of its probability
   */
  public record Top(String token, OptionalInt id, double logprob) {
    public Top {
      logprob = finite(logprob);
    }
  }

  public TokenLogprob {
    logprob = finite(logprob);
    top = List.copyOf(top);
  }

  /** A probability of 0 is written in several ways; JSON and tables hold a number. */
  private static double finite(double logprob) {
    return Double.isNaN(logprob)
        ? -Double.MAX_VALUE
        : Math.min(Double.MAX_VALUE, Math.max(logprob, -Double.MAX_VALUE));
  }

  /**
   * The tokens that spell a part of a text: those that lie in it whole and, where it is the text's
   * end, the marks that end the reply. None where the tokens, in a row up to such marks, do not
   * spell the text, as where a teacher tells ids alone; and none where one reaches across the
   * part's begin. What was written before the text, as a thought that a server tells in a field of
   * its own, is passed over.
   *
   * @param text all that the teacher told
   * @param begin of the part, in characters
   * @param end of the part
   */
  static List<TokenLogprob> of(List<TokenLogprob> tokens, String text, int begin, int end) {
    var written = new StringBuilder();
    int[] ends = new int[tokens.size()];
    for (int t = 0; t < ends.length; t++) {
      ends[t] = written.append(tokens.get(t).token).length();
    }
    int marks = ends.length;
    while (marks > 0 && END_MARK.matcher(tokens.get(marks - 1).token).matches()) {
      marks--;
    }
    String all = written.toString();
    for (int last = marks; last <= ends.length; last++) {
      int head = (last == 0 ? 0 : ends[last - 1]) - text.length();
      if (head >= 0 && all.startsWith(text, head) && isBoundary(ends, head)) {
        return between(
            tokens, ends, head + begin, end == text.length() ? all.length() : head + end);
      }
    }
    return List.of();
  }

  /**
   * Whether tokens may spell a whole text. Servers differ in the blanks at its ends and at tokens'
   * heads, so these are not looked at; where a token is told by its id or its bytes alone, nobody
   * knows.
   */
  static boolean maySpell(List<TokenLogprob> tokens, String text) {
    var written = new StringBuilder();
    for (TokenLogprob token : tokens) {
      if (token.token.isEmpty() || HALF.matcher(token.token).find()) {
        return true;
      }
      written.append(token.token);
    }
    String all = BLANKS.matcher(written).replaceAll("");
    String wanted = BLANKS.matcher(text).replaceAll("");
    for (int t = tokens.size(); t > 0 && all.length() > wanted.length(); t--) {
      String last = tokens.get(t - 1).token;
      if (!END_MARK.matcher(last).matches()) {
        return false;
      }
      // As a mark's own blanks are not in the text, they are not cut from it either.
      int length = BLANKS.matcher(last).replaceAll("").length();
      all = all.substring(0, all.length() - length);
    }
    return all.equals(wanted);
  }

  private static boolean isBoundary(int[] ends, int place) {
    return place == 0 || Arrays.binarySearch(ends, place) >= 0;
  }

  private static List<TokenLogprob> between(
      List<TokenLogprob> tokens, int[] ends, int begin, int end) {
    if (!isBoundary(ends, begin)) {
      return List.of();
    }
    return IntStream.range(0, ends.length)
        .filter(t -> (t == 0 ? 0 : ends[t - 1]) >= begin && ends[t] <= end)
        .mapToObj(tokens::get)
        .toList();
  }

  /**
   * An extra body that asks for the likeliest tokens.
   *
   * @param extraBody a JSON object
   * @param chat whether the request is a dialogue
   * @param count how many for each token; at least 1
   */
  public static String ask(String extraBody, boolean chat, int count) {
    try {
      ObjectNode body = (ObjectNode) JSON.readTree(extraBody);
      if (chat) {
        body.put("logprobs", true).put("top_logprobs", count);
      } else {
        body.put("logprobs", count);
      }
      return body.toString();
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("Not JSON: " + extraBody, e);
    }
  }

  /** How many of the likeliest tokens an extra body asks for, in either form; 0 for none. */
  public static int asked(JsonNode extraBody) {
    JsonNode logprobs = extraBody.path("logprobs");
    return logprobs.isInt()
        ? logprobs.intValue()
        : logprobs.asBoolean() ? extraBody.path("top_logprobs").asInt(0) : 0;
  }

  /** Tokens as a JSON array of {@code {"token", "id", "logprob", "top"}}. */
  public static ArrayNode toJson(List<TokenLogprob> tokens) {
    ArrayNode array = JsonNodeFactory.instance.arrayNode();
    for (TokenLogprob token : tokens) {
      ObjectNode node = array.addObject();
      write(node, token.token, token.id, token.logprob);
      ArrayNode top = node.putArray("top");
      token.top.forEach(t -> write(top.addObject(), t.token, t.id, t.logprob));
    }
    return array;
  }

  private static void write(ObjectNode node, String token, OptionalInt id, double logprob) {
    node.put("token", token);
    id.ifPresent(known -> node.put("id", known));
    node.put("logprob", logprob);
  }

  /** The tokens of an array that {@link #toJson} wrote; none where it is no such array. */
  public static List<TokenLogprob> fromJson(JsonNode array) {
    return read(array, "top");
  }

  /**
   * The tokens of a choice of OpenAI's protocol, in the form of either API; none where the server
   * tells none.
   *
   * @param logprobs the choice's member
   */
  static List<TokenLogprob> ofChoice(JsonNode logprobs) {
    if (logprobs.path("content").isArray()) {
      return read(logprobs.get("content"), "top_logprobs");
    }
    JsonNode tokens = logprobs.path("tokens");
    JsonNode values = logprobs.path("token_logprobs");
    var result = new ArrayList<TokenLogprob>();
    for (int i = 0; i < tokens.size(); i++) {
      if (!values.path(i).isNumber()) {
        return List.of();
      }
      var top = new ArrayList<Top>();
      logprobs
          .path("top_logprobs")
          .path(i)
          .properties()
          .forEach(
              one ->
                  top.add(
                      new Top(
                          text(one.getKey()),
                          id(one.getKey(), one.getValue()),
                          number(one.getValue()))));
      top.sort((a, b) -> Double.compare(b.logprob, a.logprob));
      String token = tokens.get(i).asText();
      result.add(new TokenLogprob(text(token), id(token, tokens), values.get(i).asDouble(), top));
    }
    return result;
  }

  private static List<TokenLogprob> read(JsonNode array, String topName) {
    var tokens = new ArrayList<TokenLogprob>();
    for (JsonNode node : array) {
      if (!node.path("logprob").isNumber()) {
        return List.of();
      }
      var top = new ArrayList<Top>();
      for (JsonNode one : node.path(topName)) {
        String token = one.path("token").asText();
        top.add(new Top(text(token), id(token, one), number(one.path("logprob"))));
      }
      String token = node.path("token").asText();
      tokens.add(new TokenLogprob(text(token), id(token, node), number(node.get("logprob")), top));
    }
    return tokens;
  }

  private static double number(JsonNode logprob) {
    return logprob.asDouble(-Double.MAX_VALUE);
  }

  /** Half a character is no text that a table can hold. */
  private static String text(String token) {
    return token.startsWith(ID_PREFIX) || !OpenAiProtocol.storable(token) ? "" : token;
  }

  private static OptionalInt id(String token, JsonNode node) {
    if (node.path("id").canConvertToInt()) {
      return OptionalInt.of(node.get("id").intValue());
    }
    return token.matches(ID_PREFIX + "\\d{1,9}")
        ? OptionalInt.of(Integer.parseInt(token.substring(ID_PREFIX.length())))
        : OptionalInt.empty();
  }
}
