package dev.distillery.training.fuzz;

import dev.distillery.core.run.JobException;
import dev.distillery.training.evaluate.EvalTask;
import dev.distillery.training.evaluate.TaskFile;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;

/** A task of evaluate: one that can be asked, or an error that names the file. */
public final class TaskFuzz {
  private TaskFuzz() {}

  /** One input. */
  public static void fuzzerTestOneInput(byte[] data) {
    EvalTask task;
    try {
      task = new TaskFile("t.yaml", new String(data, StandardCharsets.UTF_8)).task();
    } catch (JobException e) {
      if (!String.valueOf(e.getMessage()).contains("t.yaml")) {
        throw e;
      }
      return;
    }
    boolean sound =
        !task.name().isEmpty()
            && !task.metrics().isEmpty()
            && new HashSet<>(task.metrics()).size() == task.metrics().size()
            && task.generates() == task.maxNewTokens() > 0
            && !task.stop().contains("")
            && task.columns().stream().allMatch(column -> column.matches("[A-Za-z_]\\w*"));
    if (task.input() instanceof EvalTask.Input.Generated generated) {
      sound &= generated.items() > 0 && generated.items() <= generated.generator().items();
      sound &= generated.generator().row(1, 0).size() == generated.generator().columns().size();
    }
    if (!sound) {
      throw new IllegalStateException("No task: " + task);
    }
  }
}
