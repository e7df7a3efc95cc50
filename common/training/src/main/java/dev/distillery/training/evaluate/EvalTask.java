package dev.distillery.training.evaluate;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * A task as its file says it; {@link TaskFile} reads one.
 *
 * @param name of the task, in figures and in the table {@code evaluations}
 * @param about what it asks, for people; may be empty
 * @param input where its items come from
 * @param examples where shots are drawn from; empty takes the input
 * @param shots how they are chosen
 * @param numFewshot shots to an item where {@code --num-fewshot} says nothing
 * @param description stands before the first shot; may be empty
 * @param form what is asked of the model
 * @param metrics names of {@link Metric}
 * @param delimiter between a prompt and its answer, in plain text; one space where the file says
 *     nothing, as in lm-evaluation-harness
 * @param separator between shots
 * @param published figures of papers, by what they are of
 */
public record EvalTask(
    String name,
    String about,
    Input input,
    Optional<String> examples,
    ShotChoice shots,
    OptionalInt numFewshot,
    String description,
    Form form,
    List<Metric> metrics,
    String delimiter,
    String separator,
    Map<String, String> published) {

  /** Where rows come from. */
  public sealed interface Input {
    /** A table or files, as {@code --input} takes them; empty where the user has to name them. */
    record Rows(String ref) implements Input {}

    /** Rows that a seed makes. */
    record Generated(ItemGenerator generator, long items) implements Input {}
  }

  /** How shots are chosen. */
  public enum ShotChoice {
    /** By the seed, for each item anew. */
    DRAWN,
    /** The first others of the pool, for every item the same. */
    FIRST
  }

  /** What is asked of the model. */
  sealed interface Form {
    /**
     * The likelihood of several continuations.
     *
     * @param prompts one, or one for each choice
     * @param choices continuations, or one where the prompts differ
     * @param answer index or text of the right one
     * @param labels path of names by which the answer is told; empty where there are none
     * @param unconditional context of the likelihood that {@link Metric#ACC_MUTUAL_INFO} takes off
     */
    record Choices(
        List<TaskText> prompts,
        ChoiceList choices,
        TaskText answer,
        Optional<String> labels,
        String unconditional)
        implements Form {}

    /** A text that the model writes; several answers may be right. */
    record Generate(TaskText prompt, TaskText answer, List<String> stop, int maxNewTokens)
        implements Form {}

    /** The likelihood of the right answer. */
    record Likelihood(TaskText prompt, TaskText answer) implements Form {}

    /** The likelihood of a whole text. */
    record Document(TaskText text) implements Form {}
  }

  /** Choices: texts, or the path of a list. */
  sealed interface ChoiceList {
    record Texts(List<TaskText> texts) implements ChoiceList {}

    record Path(String path) implements ChoiceList {}
  }

  /** Whether the model writes, so that a teacher may be asked. */
  public boolean generates() {
    return form instanceof Form.Generate;
  }

  /** Whether whole texts are scored, so that there are no shots. */
  public boolean isDocument() {
    return form instanceof Form.Document;
  }

  /** Most tokens of an answer; 0 where nothing is written. */
  public int maxNewTokens() {
    return form instanceof Form.Generate written ? written.maxNewTokens() : 0;
  }

  /** Texts that end an answer. */
  public List<String> stop() {
    return form instanceof Form.Generate written ? written.stop() : List.of();
  }

  /** The columns that its texts surely name. */
  public Set<String> columns() {
    Set<String> columns = new TreeSet<>();
    if (form instanceof Form.Choices choices) {
      choices.prompts().forEach(text -> columns.addAll(text.columns()));
      columns.addAll(choices.answer().columns());
      choices.labels().ifPresent(path -> columns.add(TaskText.column(path)));
      if (choices.choices() instanceof ChoiceList.Texts texts) {
        texts.texts().forEach(text -> columns.addAll(text.columns()));
      } else if (choices.choices() instanceof ChoiceList.Path path) {
        columns.add(TaskText.column(path.path()));
      }
    } else if (form instanceof Form.Generate written) {
      columns.addAll(written.prompt().columns());
      columns.addAll(written.answer().columns());
    } else if (form instanceof Form.Likelihood likelihood) {
      columns.addAll(likelihood.prompt().columns());
      columns.addAll(likelihood.answer().columns());
    } else if (form instanceof Form.Document document) {
      columns.addAll(document.text().columns());
    }
    return columns;
  }
}
