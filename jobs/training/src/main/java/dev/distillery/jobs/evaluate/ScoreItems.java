package dev.distillery.jobs.evaluate;

import dev.distillery.training.evaluate.ItemException;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.VoidFunction;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Row;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Scores items (bucket, task, id, row), sorted by bucket, and writes the results of each bucket to
 * a file of its own as soon as it is whole: a run that is begun again takes it from there.
 */
final class ScoreItems implements VoidFunction<Iterator<Row>> {
  private static final long serialVersionUID = 1L;

  private final Broadcast<ItemTasks> tasks;
  private final String folder;
  private final SerializableConfiguration hadoop;
  private final LongAccumulator done;

  ScoreItems(
      Broadcast<ItemTasks> tasks,
      String folder,
      SerializableConfiguration hadoop,
      LongAccumulator done) {
    this.tasks = tasks;
    this.folder = folder;
    this.hadoop = hadoop;
    this.done = done;
  }

  /** The file of a bucket. */
  static String file(int bucket) {
    return String.format(Locale.ROOT, "bucket-%05d.json", bucket);
  }

  @Override
  public void call(Iterator<Row> items) throws IOException {
    ItemTasks.Open open = tasks.value().open();
    List<String> lines = new ArrayList<>();
    int bucket = -1;
    while (items.hasNext()) {
      Row item = items.next();
      if (item.getInt(0) != bucket) {
        write(bucket, lines);
        bucket = item.getInt(0);
        lines.clear();
      }
      lines.add(line(open, item.getString(1), item.getString(2), item.getString(3)));
      done.add(1);
    }
    write(bucket, lines);
  }

  private String line(ItemTasks.Open open, String task, String id, String row) {
    EvaluationRows rows = tasks.value().rows();
    try {
      return rows.line(task, id, open.score(task, id, EvaluationRows.row(row)));
    } catch (ItemException e) {
      return rows.rejected(task, id, row, e);
    }
  }

  private void write(int bucket, List<String> lines) throws IOException {
    if (lines.isEmpty()) {
      return;
    }
    Path file = new Path(folder, file(bucket));
    FileSystem files = file.getFileSystem(hadoop.value());
    // Two tries of a task at once write the same.
    Path unfinished =
        new Path(folder, "." + file(bucket) + "." + TaskContext.get().taskAttemptId());
    try (var out =
        new BufferedWriter(
            new OutputStreamWriter(files.create(unfinished, true), StandardCharsets.UTF_8))) {
      for (String line : lines) {
        out.write(line);
        out.write('\n');
      }
    }
    if (!files.rename(unfinished, file) && !files.exists(file)) {
      throw new IOException("Cannot rename " + unfinished + " to " + file);
    }
  }
}
