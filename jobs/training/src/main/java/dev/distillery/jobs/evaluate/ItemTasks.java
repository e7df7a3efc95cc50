package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.Evaluated;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.TaskFile;
import dev.distillery.training.evaluate.TaskSetup;
import dev.distillery.training.student.SharedStudent;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of a run on an executor, opened as their items come.
 *
 * @param model path on the driver
 * @param name of the model in tables: its folder's, {@code @}, the head of its bytes' hash
 * @param threads that compute; 0 for all processors
 */
record ItemTasks(String model, String name, int threads, Map<String, TaskSetup> tasks)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  ItemTasks {
    tasks = Map.copyOf(tasks);
  }

  /** The hash in the model's name. */
  String hash() {
    return name.substring(name.lastIndexOf('@') + 1);
  }

  /** The tasks' texts alone. */
  Map<String, TaskFile> files() {
    Map<String, TaskFile> files = new HashMap<>();
    tasks.forEach((task, setup) -> files.put(task, setup.file()));
    return files;
  }

  Open open() {
    return new Open(this);
  }

  /** What one task of Spark uses. */
  static final class Open {
    private final ItemTasks items;
    private final Map<String, ItemEvaluator> evaluators = new HashMap<>();

    Open(ItemTasks items) {
      this.items = items;
    }

    private ItemEvaluator of(String task) {
      @Nullable ItemEvaluator known = evaluators.get(task);
      if (known == null) {
        TaskSetup setup = Objects.requireNonNull(items.tasks().get(task));
        known = setup.open(SharedStudent.of(items.model(), items.hash(), items.threads()));
        evaluators.put(task, known);
      }
      return known;
    }

    Evaluated score(String task, String id, JsonNode row) {
      ItemEvaluator evaluator = of(task);
      return SharedStudent.with(
          items.model(),
          items.hash(),
          items.threads(),
          (student, scorer) -> evaluator.score(id, row, scorer));
    }

    ItemEvaluator.Question question(String task, String id, JsonNode row, int context) {
      return of(task).question(id, row, context);
    }

    EvalTask task(String task) {
      return of(task).task();
    }
  }
}
