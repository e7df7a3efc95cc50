package dev.distillery.training.evaluate;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.text.Whitespace;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Items as a student reads them: description, shots, the item's own prompt, in plain text or in a
 * chat template. One beginning token stands before it, whoever puts it there.
 */
final class ItemPrompts {
  private final EvalTask task;
  private final Student student;
  private final Tokenizer tokenizer;
  private final Optional<ChatTemplate> template;
  private final boolean multiturn;

  /**
   * @param template empty for plain text
   * @param multiturn whether each shot is a turn of the dialogue
   */
  ItemPrompts(EvalTask task, Student student, Optional<ChatTemplate> template, boolean multiturn) {
    this.task = task;
    this.student = student;
    this.tokenizer = student.tokenizer();
    this.template = template;
    this.multiturn = multiturn;
  }

  /**
   * A context with what follows it.
   *
   * @param context at least one token
   * @param continuation at least one token
   */
  @SuppressWarnings("ArrayRecordComponent") // Built once and only read.
  record Tokens(int[] context, int[] continuation) {}

  /**
   * What the model is shown.
   *
   * @param text of it; marks of a template included
   * @param messages empty in plain text
   */
  record Shown(String text, List<Message> messages) {}

  /** What an item's prompt is shown as, behind its shots. */
  Shown shown(Item item, int continuation, List<Item> shots) {
    if (template.isEmpty()) {
      return new Shown(ItemTexts.plain(task, item.prompt(continuation), shots), List.of());
    }
    List<Message> messages = ItemTexts.messages(task, item.prompt(continuation), shots, multiturn);
    return new Shown(template.get().render(messages, true), messages);
  }

  /** The tokens of a prompt as the model is asked to go on from it. */
  int[] prompt(Shown shown) {
    return template.isPresent()
        ? template.get().encode(tokenizer, shown.messages(), true).ids()
        : tokenizer.begun(shown.text());
  }

  /**
   * A continuation behind its context: tokenised together, and parted where the context's own
   * tokens end, white space at its end moved over, as lm-evaluation-harness does.
   */
  Tokens tokens(Shown shown, String continuation) {
    return template.isPresent()
        ? answered(shown, continuation)
        : joined(shown.text(), task.delimiter() + continuation);
  }

  /** A continuation behind a context of its own, in plain text. */
  Tokens plain(String context, String continuation) {
    return joined(context, (template.isPresent() ? "" : task.delimiter()) + continuation);
  }

  private Tokens joined(String context, String continuation) {
    String stripped = Whitespace.stripTrailing(context);
    String moved = context.substring(stripped.length()) + continuation;
    int[] alone = tokenizer.encode(stripped);
    int[] start = start(alone.length == 0);
    int[] whole = Tokenizer.begun(start, tokenizer.encode(stripped + moved));
    return parted(whole, Tokenizer.begun(start, alone).length);
  }

  /** A whole text: what stands before it, and its tokens. */
  Tokens document(String text) {
    int[] ids = tokenizer.encode(text);
    int[] start = start(true);
    int[] whole = Tokenizer.begun(start, ids);
    return parted(whole, Math.max(1, start.length));
  }

  /** Under a template there is no delimiter: the answer begins where the header ends. */
  private Tokens answered(Shown shown, String continuation) {
    int[] context = prompt(shown);
    int[] answer = tokenizer.encode(continuation);
    int[] whole = Arrays.copyOf(context, context.length + answer.length);
    System.arraycopy(answer, 0, whole, context.length, answer.length);
    return parted(whole, context.length);
  }

  private static Tokens parted(int[] whole, int context) {
    if (context == 0 || context >= whole.length) {
      throw new ItemException(
          ItemException.EMPTY, "A choice, or the answer, has no token behind its prompt");
    }
    return new Tokens(
        Arrays.copyOf(whole, context), Arrays.copyOfRange(whole, context, whole.length));
  }

  /**
   * What the model's tokenizer puts before a text, or what has to stand there where it is empty.
   */
  private int[] start(boolean empty) {
    int[] prefix = tokenizer.prefix();
    OptionalInt start = student.textStart();
    return prefix.length == 0 && empty && start.isPresent() ? new int[] {start.getAsInt()} : prefix;
  }
}
