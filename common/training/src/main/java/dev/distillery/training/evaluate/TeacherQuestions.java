package dev.distillery.training.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;

/**
 * Makes rows of a written task into questions to a teacher. Its tokens are not known here, so every
 * shot is shown; a teacher that finds them too long says so.
 */
public final class TeacherQuestions {
  private final EvalTask task;
  private final int shots;
  private final ShotPool pool;
  private final boolean dialogue;
  private final boolean multiturn;

  TeacherQuestions(TaskSetup setup) {
    this.task = setup.file().task();
    this.shots = setup.shots();
    this.pool = new ShotPool(task, setup.examples(), setup.seed());
    this.dialogue = setup.chat().applied();
    this.multiturn = setup.chat().multiturn();
  }

  public EvalTask task() {
    return task;
  }

  /**
   * What is asked: a text to go on from, or a dialogue, whose prompt is then empty.
   *
   * @throws ItemException where the row makes no item
   */
  public ItemEvaluator.Question question(String id, JsonNode row) {
    Item item = Item.of(task, id, row);
    List<Item> shown = pool.of(item, shots);
    Map<String, Double> metrics = Map.of(ItemEvaluator.SHOTS, (double) shown.size());
    return dialogue
        ? new ItemEvaluator.Question(
            "", ItemTexts.messages(task, item.prompt(0), shown, multiturn), metrics)
        : new ItemEvaluator.Question(
            ItemTexts.plain(task, item.prompt(0), shown), List.of(), metrics);
  }
}
