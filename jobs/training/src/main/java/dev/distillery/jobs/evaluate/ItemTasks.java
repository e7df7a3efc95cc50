package dev.distillery.jobs.evaluate;

import com.fasterxml.jackson.databind.JsonNode;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.Evaluated;
import dev.distillery.training.evaluate.ItemEvaluator;
import dev.distillery.training.evaluate.TaskFile;
import dev.distillery.training.evaluate.TaskSetup;
import dev.distillery.training.evaluate.TeacherQuestions;
import dev.distillery.training.student.SharedStudent;
import java.io.Serializable;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The tasks of a run on an executor, opened as their items come.
 *
 * @param student whether a student is asked, whose tokens are known
 * @param model path on the driver, or a server's name of it
 * @param rows results; the model is named by its file, {@code @}, the head of its bytes' hash, or
 *     as a server names it
 * @param threads that compute; 0 for all processors
 */
record ItemTasks(
    boolean student, String model, EvaluationRows rows, int threads, Map<String, TaskSetup> tasks)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  ItemTasks {
    tasks = Map.copyOf(tasks);
  }

  /** The model in tables. */
  String name() {
    return rows.model();
  }

  /** The hash in the model's name. */
  String hash() {
    String name = name();
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
    private final Map<String, TeacherQuestions> questions = new HashMap<>();

    Open(ItemTasks items) {
      this.items = items;
    }

    private ItemEvaluator of(String task) {
      @Nullable ItemEvaluator known = evaluators.get(task);
      if (known == null) {
        known = setup(task).open(SharedStudent.of(items.model(), items.hash(), items.threads()));
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
      return items.student()
          ? of(task).question(id, row, context)
          : toTeacher(task).question(id, row);
    }

    EvalTask task(String task) {
      return items.student() ? of(task).task() : toTeacher(task).task();
    }

    /** Of the shots. */
    long seed(String task) {
      return setup(task).seed();
    }

    private TeacherQuestions toTeacher(String task) {
      return questions.computeIfAbsent(task, each -> setup(each).questions());
    }

    private TaskSetup setup(String task) {
      return Objects.requireNonNull(items.tasks().get(task));
    }
  }
}
