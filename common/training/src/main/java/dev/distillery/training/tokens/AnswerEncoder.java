package dev.distillery.training.tokens;

import dev.distillery.core.dialogue.Message;
import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.format.ModelFiles;
import dev.distillery.model.tokenizer.ChatTemplate;
import dev.distillery.model.tokenizer.ModelTemplates;
import dev.distillery.model.tokenizer.Tokenizer;
import dev.distillery.model.tokenizer.Tokenizers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A prompt and an answer to it as tokens that end where the answer ends: at the mark that closes
 * it, which is the last token that is trained and the one that a reward model's score is read at.
 * What a template writes behind that mark, such as ChatML's line break, is left out. Training,
 * scoring and rollouts all take their tokens from here, so that they mean the same place. Safe for
 * several threads.
 */
public final class AnswerEncoder {
  private final Tokenizer tokenizer;
  private final ChatTemplate template;
  private final int[] closing;

  /**
   * Tokens of a prompt and an answer.
   *
   * @param ids [time]
   * @param from index of the answer's first token; all from there on are the answer's. The number
   *     of tokens where it has none
   */
  @SuppressWarnings("ArrayRecordComponent") // Lives for one row.
  public record Answered(int[] ids, int from) {
    /** Whether the answer has a token. */
    public boolean hasAnswer() {
      return from < ids.length;
    }
  }

  /** An encoder in a template. */
  public AnswerEncoder(Tokenizer tokenizer, ChatTemplate template) {
    this.tokenizer = tokenizer;
    this.template = template;
    this.closing =
        template.answerEnd().isEmpty() ? new int[0] : tokenizer.encode(template.answerEnd());
  }

  /** The encoder of a model in a template that is told nothing beside the dialogue. */
  public static AnswerEncoder open(Path model, String template) throws IOException {
    return open(model, template, TemplateInputs.NONE);
  }

  /**
   * The encoder of a model, which may be a reward model.
   *
   * @param model directory or file, on this machine
   * @param template name of a preset; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue
   * @throws IllegalArgumentException where there is no such template, or the model brings none
   */
  public static AnswerEncoder open(Path model, String template, TemplateInputs inputs)
      throws IOException {
    try (ModelFiles files = ModelFiles.open(model)) {
      Tokenizer tokenizer = Tokenizers.of(files);
      return new AnswerEncoder(
          tokenizer, ModelTemplates.choose(files, tokenizer, template, inputs));
    }
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  public ChatTemplate template() {
    return template;
  }

  /** An answer that ended by itself: the mark that closes it stands behind it. */
  public Answered closed(List<Message> prompt, String answer) {
    List<Message> dialogue = new ArrayList<>(prompt);
    dialogue.add(new Message("assistant", answer));
    return closed(dialogue);
  }

  /**
   * A dialogue whose last turn is an answer that ended by itself.
   *
   * @throws IllegalArgumentException where its last turn is no answer, or the template has no form
   *     for its roles
   */
  public Answered closed(List<Message> dialogue) {
    int answer = dialogue.size() - 1;
    if (answer < 0 || !dialogue.get(answer).role().equals("assistant")) {
      throw new IllegalArgumentException("The dialogue's last message is no answer");
    }
    ChatTemplate.Encoded encoded = template.encode(tokenizer, dialogue, false);
    int[] answers = encoded.answers();
    int end = answers.length;
    while (end > 0 && answers[end - 1] != answer) {
      end--;
    }
    int from = end;
    while (from > 0 && answers[from - 1] == answer) {
      from--;
    }
    int[] ids = encoded.ids();
    return end == 0 ? new Answered(ids, ids.length) : new Answered(Arrays.copyOf(ids, end), from);
  }

  /**
   * A prompt that was written in a template before, marks and all, with the answer to it.
   *
   * @param prompt in which marks are read as such, as a policy read them
   * @param ended whether the answer ended by itself; the mark that closes it stands behind it then
   */
  public Answered written(String prompt, String answer, boolean ended) {
    int[] first = tokenizer.encode(prompt);
    int[] second = tokenizer.encodeOrdinary(answer);
    int[] end = ended ? closing : new int[0];
    int[] ids = Arrays.copyOf(first, first.length + second.length + end.length);
    System.arraycopy(second, 0, ids, first.length, second.length);
    System.arraycopy(end, 0, ids, first.length + second.length, end.length);
    return new Answered(ids, first.length);
  }

  /** An answer that was cut before its end: no mark closes it. */
  public Answered cut(List<Message> prompt, String answer) {
    Answered whole = closed(prompt, answer);
    int[] ids = whole.ids();
    int length = ids.length - closing.length;
    boolean closes =
        whole.hasAnswer()
            && closing.length > 0
            && length >= whole.from()
            && Arrays.equals(ids, length, ids.length, closing, 0, closing.length);
    return closes ? new Answered(Arrays.copyOf(ids, length), whole.from()) : whole;
  }
}
