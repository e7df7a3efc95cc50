package dev.distillery.training.rollout;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.distillery.model.rl.Experience;
import dev.distillery.model.rl.ShapedRewards;
import dev.distillery.spark.job.JobRun;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.training.run.OutputFolder;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;

/**
 * The answers of every update, in {@code rollouts/rollouts-<step>.jsonl.gz} of the output folder, a
 * row of the table {@code rollouts} each.
 */
final class RolloutLog {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final OutputFolder folder;

  RolloutLog(OutputFolder folder) {
    this.folder = folder;
  }

  private Path home() {
    return folder.path("rollouts");
  }

  private Path file(long step) {
    return new Path(home(), String.format(Locale.ROOT, "rollouts-%010d.jsonl.gz", step));
  }

  /** Removes what an earlier try wrote beyond a step. */
  void resume(long step) throws IOException {
    String last = file(step).getName();
    for (FileStatus file : folder.list(home())) {
      if (file.getPath().getName().compareTo(last) > 0) {
        folder.files().delete(file.getPath(), false);
      }
    }
  }

  /** One answer with what became of it; {@code score} as the reward gave it. */
  record Entry(Sampled sampled, double score, Figures said, Experience.Lesson lesson) {}

  /** Writes the answers of a step, counted from 1. */
  void write(long step, List<Entry> entries) throws IOException {
    var lines = new StringBuilder();
    for (Entry entry : entries) {
      lines.append(JSON.writeValueAsString(line(step, entry))).append('\n');
    }
    var bytes = new ByteArrayOutputStream();
    try (var zip = new GZIPOutputStream(bytes)) {
      zip.write(lines.toString().getBytes(StandardCharsets.UTF_8));
    }
    folder.writeWhole(file(step), bytes.toByteArray());
  }

  private static ObjectNode line(long step, Entry entry) {
    Sampled sampled = entry.sampled();
    ObjectNode line = JSON.createObjectNode();
    line.put("step", step);
    line.put("id", sampled.prompt().id());
    line.put("prompt", sampled.prompt().text());
    line.put("answer", sampled.answer());
    if (Double.isFinite(entry.score())) {
      line.put("score", entry.score());
    } else {
      line.putNull("score");
    }
    line.put("kl", ShapedRewards.sum(entry.lesson().kl()));
    ArrayNode tokens = line.putArray("tokens");
    for (int t = 0; t < sampled.ids().length; t++) {
      ObjectNode token = tokens.addObject();
      token.put("id", sampled.ids()[t]);
      token.put("logprob", entry.said().logProbs()[t]);
      token.put("ref_logprob", entry.said().refLogProbs()[t]);
      token.put("value", entry.said().values()[t]);
      if (entry.lesson().counts()) {
        token.put("advantage", entry.lesson().advantages()[t]);
      } else {
        token.putNull("advantage");
      }
    }
    line.put("ended", sampled.ended());
    return line;
  }

  /** Writes them all as the run's table. */
  void publish(JobRun run) {
    run.write(
        Tables.ROLLOUTS,
        run.spark()
            .read()
            .schema(Tables.ROLLOUTS.schema())
            .option("pathGlobFilter", "*.jsonl.gz")
            .json(home().toString())
            .orderBy("step"));
  }
}
