package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.training.evaluate.EvalTask.ChoiceList;
import dev.distillery.training.evaluate.EvalTask.Form;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.StreamSupport;

/**
 * One question of a task, its places filled.
 *
 * @param id of its row
 * @param prompts one, or one for each continuation; none where a whole text is scored
 * @param continuations what may follow; the text itself where there is no prompt; none where the
 *     model writes
 * @param right which of them is right
 * @param answers that are right, the first of which a shot shows
 */
record Item(
    String id, List<String> prompts, List<String> continuations, int right, List<String> answers) {

  /**
   * The item of a row.
   *
   * @throws ItemException where the row makes none
   */
  static Item of(EvalTask task, String id, JsonNode row) {
    Form form = task.form();
    if (form instanceof Form.Choices choices) {
      return choices(id, choices, row);
    }
    if (form instanceof Form.Document document) {
      return new Item(id, List.of(), List.of(document.text().text(row)), 0, List.of());
    }
    if (form instanceof Form.Likelihood likelihood) {
      String answer = likelihood.answer().text(row);
      return new Item(
          id, List.of(likelihood.prompt().text(row)), List.of(answer), 0, List.of(answer));
    }
    Form.Generate written = (Form.Generate) form;
    Object answer = written.answer().valueOrText(row);
    List<String> answers =
        answer instanceof JsonNode node && node.isArray()
            ? texts(node)
            : List.of(answer instanceof JsonNode node ? TaskText.asText(node) : (String) answer);
    if (answers.isEmpty()) {
      throw new ItemException(ItemException.EMPTY, "The list of right answers has none");
    }
    return new Item(id, List.of(written.prompt().text(row)), List.of(), 0, answers);
  }

  private static Item choices(String id, Form.Choices form, JsonNode row) {
    List<String> prompts = form.prompts().stream().map(text -> text.text(row)).toList();
    List<String> choices =
        form.choices() instanceof ChoiceList.Path path
            ? list(row, path.path())
            : ((ChoiceList.Texts) form.choices())
                .texts().stream().map(text -> text.text(row)).toList();
    int number = Math.max(prompts.size(), choices.size());
    if (number < 2) {
      throw new ItemException(
          ItemException.BAD_CHOICES, "Two choices are the fewest, and the row has " + choices);
    }
    List<String> continuations = new ArrayList<>();
    for (int i = 0; i < number; i++) {
      continuations.add(choices.get(choices.size() == 1 ? 0 : i));
    }
    int right = right(form, row, continuations, prompts.size());
    return new Item(id, prompts, continuations, right, List.of(continuations.get(right)));
  }

  private static List<String> list(JsonNode row, String path) {
    JsonNode value = TaskText.value(row, path);
    if (!value.isArray() || value.isEmpty()) {
      throw new ItemException(ItemException.BAD_CHOICES, path + " is no list of texts: " + value);
    }
    return texts(value);
  }

  private static List<String> texts(JsonNode list) {
    return StreamSupport.stream(list.spliterator(), false).map(TaskText::asText).toList();
  }

  /** By label where there are labels; a number by index; a text by what it says, then by index. */
  private static int right(Form.Choices form, JsonNode row, List<String> choices, int prompts) {
    Object answer = form.answer().valueOrText(row);
    String text = answer instanceof JsonNode node ? TaskText.asText(node) : (String) answer;
    List<String> names = form.labels().isPresent() ? list(row, form.labels().get()) : choices;
    boolean number = answer instanceof JsonNode node && node.isIntegralNumber();
    int right = number && form.labels().isEmpty() ? -1 : names.indexOf(text);
    boolean told = prompts <= 1 || form.labels().isPresent();
    if ((right < 0 || !told) && form.labels().isEmpty() && text.matches("\\d{1,9}")) {
      right = Integer.parseInt(text);
    }
    if (right < 0 || right >= choices.size()) {
      throw new ItemException(
          ItemException.NO_TARGET,
          "The answer '%s' is neither one of %s nor an index of them".formatted(text, names));
    }
    return right;
  }

  /** What it asks, by which it is the same as another; without a prompt, its choices. */
  String question() {
    String asked = String.join("\n", prompts).strip();
    return asked.isEmpty() ? String.join("\n", continuations) : asked;
  }

  /** The prompt of a continuation. */
  String prompt(int continuation) {
    return prompts.get(prompts.size() == 1 ? 0 : continuation);
  }

  /** The prompt that a shot of it shows. */
  String shownPrompt() {
    return prompt(right);
  }
}
