package dev.distillery.core.teacher;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a model thought before it answered, apart from the answer: so that nobody takes a draft for
 * a reply.
 *
 * @param reasoning what it thought; empty where it did not say
 * @param text the answer
 */
record Thought(String reasoning, String text) {
  private static final String OPEN = "<think>";
  private static final String CLOSE = "</think>";

  /** What an answer begins with: no mark that would close a quotation or go on with a sentence. */
  private static final String ANSWER =
      "(?![,.;:!?)\\]}'\"`\u2019\u201D\u00BB\u3001\u3002\uFF0C])\\S";

  /**
   * How a thought ends that a prompt has opened. Where a text speaks of the tag, blanks or
   * quotation marks stand beside it, or the sentence goes on behind it in lower case.
   */
  private static final Pattern CLOSING =
      Pattern.compile(
          // The tag ends its line,
          "</think>[ \\t]*(?:\\R|\\z)"
              // or stands tight between the end of a word or a sentence and the answer,
              + "|(?<=[\\p{L}\\p{N}.!?:)\u2026\u3002\uFF01\uFF1F\uFF09])</think>(?="
              + ANSWER
              + ")"
              // or begins a line or ends a sentence, and an answer begins behind it.
              + "|(?:(?m:^)|(?<=[.!?\u2026\u3002\uFF01\uFF1F]))</think>(?="
              + ANSWER
              + "|[ \\t]+(?!\\p{Ll})"
              + ANSWER
              + ")");

  /** Parts a text. Some templates open the thought in the prompt, so that only its end is here. */
  static Thought of(String content) {
    boolean opened = content.stripLeading().startsWith(OPEN);
    if (!opened) {
      Matcher close = CLOSING.matcher(content);
      // One that is opened within the text is spoken of, as in an example.
      return close.find() && content.lastIndexOf(OPEN, close.start()) < 0
          ? parted(content, 0, close.start())
          : new Thought("", content);
    }
    int start = content.indexOf(OPEN) + OPEN.length();
    int close = content.indexOf(CLOSE, start);
    // Cut off while it was thinking: there is no answer.
    return close < 0
        ? new Thought(content.substring(start).strip(), "")
        : parted(content, start, close);
  }

  private static Thought parted(String content, int start, int close) {
    return new Thought(
        content.substring(start, close).strip(),
        content.substring(close + CLOSE.length()).stripLeading());
  }
}
