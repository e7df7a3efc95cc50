package dev.distillery.training.evaluate;

import dev.distillery.core.dialogue.TemplateInputs;
import dev.distillery.model.sample.Student;
import dev.distillery.model.tokenizer.ChatTemplate;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Optional;

/**
 * A task with all that its items are shown by; travels to executors.
 *
 * @param file of the task
 * @param shots to an item
 * @param examples that shots are drawn from
 * @param seed of the shots
 * @param chat how a chat template is applied; plain text where it is not
 */
public record TaskSetup(TaskFile file, int shots, List<Example> examples, long seed, Chat chat)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  public TaskSetup {
    examples = List.copyOf(examples);
  }

  /**
   * How a chat template is applied.
   *
   * @param applied whether it is; of a teacher, which has its own: whether it is asked in a
   *     dialogue
   * @param template name of a preset; empty takes the model's own
   * @param inputs what the model's own is told beside the dialogue
   * @param multiturn whether shots are turns of the dialogue
   */
  public record Chat(boolean applied, String template, TemplateInputs inputs, boolean multiturn)
      implements Serializable {
    private static final long serialVersionUID = 1L;
  }

  /** What asks a teacher the task's items. */
  public TeacherQuestions questions() {
    return new TeacherQuestions(this);
  }

  /** What evaluates the task's items with a student. */
  public ItemEvaluator open(Student student) {
    try {
      Optional<ChatTemplate> template =
          chat.applied()
              ? Optional.of(student.chatTemplate(chat.template(), chat.inputs()))
              : Optional.empty();
      return new ItemEvaluator(
          file.task(),
          new ItemEvaluator.Settings(shots, chat.multiturn(), seed),
          examples,
          student,
          template);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
