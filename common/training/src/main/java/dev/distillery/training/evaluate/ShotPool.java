package dev.distillery.training.evaluate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.core.random.CounterRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The examples that shots are drawn from. An item is never its own shot, nor is any that asks the
 * same: lm-evaluation-harness 0.4.13 shows an item its own answer where a task has one split.
 */
final class ShotPool {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SITE = 3;

  private final List<Item> items = new ArrayList<>();
  private final EvalTask task;
  private final long seed;

  /** Reads examples; those that make no item are passed over. */
  ShotPool(EvalTask task, List<Example> examples, long seed) {
    this.task = task;
    this.seed = seed;
    Set<String> questions = new HashSet<>();
    for (Example example : examples) {
      try {
        Item item = Item.of(task, example.id(), JSON.readTree(example.row()));
        if (questions.add(item.question())) {
          items.add(item);
        }
      } catch (ItemException e) {
        // Not fit to be shown.
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  /** Examples that ask different things. */
  int size() {
    return items.size();
  }

  /**
   * The shots of an item, the farthest from it first; they depend on seed, task, item and pool.
   *
   * @throws ItemException where the pool has too few others
   */
  List<Item> of(Item item, int shots) {
    if (shots == 0) {
      return List.of();
    }
    String question = item.question();
    List<Item> others = items.stream().filter(other -> !other.question().equals(question)).toList();
    if (others.size() < shots) {
      throw new ItemException(
          ItemException.FEW_SHOTS,
          "%s shots are asked for, and there are %s other examples"
              .formatted(shots, others.size()));
    }
    if (task.shots() == EvalTask.ShotChoice.FIRST) {
      return others.subList(0, shots);
    }
    long key =
        CounterRandom.key(CounterRandom.key(CounterRandom.key(seed, SITE), task.name()), item.id());
    return others.stream()
        .sorted(Comparator.comparingLong((Item other) -> CounterRandom.key(key, other.id())))
        .limit(shots)
        .toList();
  }
}
