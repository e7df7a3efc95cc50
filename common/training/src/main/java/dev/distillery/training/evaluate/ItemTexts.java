package dev.distillery.training.evaluate;

import dev.distillery.core.dialogue.Message;
import java.util.ArrayList;
import java.util.List;

/** Items before any template: description, shots, the item's own prompt. */
final class ItemTexts {
  private ItemTexts() {}

  /** One text that the model goes on from. */
  static String plain(EvalTask task, String prompt, List<Item> shots) {
    return task.description() + shotText(task, shots) + prompt;
  }

  /**
   * A dialogue whose last turn asks.
   *
   * @param multiturn whether each shot is a turn; else all stand before the prompt, in its own
   */
  static List<Message> messages(EvalTask task, String prompt, List<Item> shots, boolean multiturn) {
    List<Message> messages = new ArrayList<>();
    if (!task.description().isEmpty()) {
      messages.add(new Message("system", task.description()));
    }
    if (multiturn) {
      for (Item shot : shots) {
        messages.add(new Message("user", shot.shownPrompt()));
        messages.add(new Message("assistant", shot.answers().get(0)));
      }
      messages.add(new Message("user", prompt));
    } else {
      messages.add(new Message("user", shotText(task, shots) + prompt));
    }
    return messages;
  }

  private static String shotText(EvalTask task, List<Item> shots) {
    StringBuilder text = new StringBuilder();
    for (Item shot : shots) {
      text.append(shot.shownPrompt())
          .append(task.delimiter())
          .append(shot.answers().get(0))
          .append(task.separator());
    }
    return text.toString();
  }
}
