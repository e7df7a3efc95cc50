package dev.distillery.datasets;

import dev.distillery.core.dialogue.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Dialogues that are one text with a mark before each turn. */
public final class MarkedText {
  private MarkedText() {}

  /**
   * The turns of a text, stripped. What stands before the first is counted as unread.
   *
   * @param mark finds the marks; its first group is the role's name
   */
  public static List<Message> turns(String text, Pattern mark, RowContext context)
      throws RejectedRowException {
    Matcher matcher = mark.matcher(text);
    List<Message> turns = new ArrayList<>();
    String role = "";
    int start = -1;
    while (matcher.find()) {
      if (start < 0 && !text.substring(0, matcher.start()).isBlank()) {
        context.unread("text before its first turn");
      }
      if (start >= 0) {
        turns.add(new Message(role, text.substring(start, matcher.start()).strip()));
      }
      role = JsonFields.role(matcher.group(1));
      start = matcher.end();
    }
    if (start < 0) {
      throw new RejectedRowException("unknown_format", "No mark of a turn is in the text");
    }
    turns.add(new Message(role, text.substring(start).strip()));
    return turns;
  }
}
