package dev.distillery.training.run;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.distillery.spark.warehouse.MetricRow;
import dev.distillery.spark.warehouse.Tables;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * A run's figures, in segments: what was logged between two flushes is a file of JSON lines in
 * {@code metrics/} and a TensorBoard event file in {@code runs/}, both named by their first and
 * last step. A run that is resumed removes the segments behind its checkpoint, so that each name
 * stands once at each step; memory holds one segment.
 */
final class MetricLog {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern SEGMENT = Pattern.compile(".*?(\\d{10})-(\\d{10}).*");

  /** Steps of one segment at most, whatever the time between checkpoints. */
  private static final long SEGMENT_STEPS = 100;

  private final OutputFolder folder;
  private final Clock clock;
  private final Consumer<MetricRow> listener;
  private final List<MetricRow> rows = new ArrayList<>();
  private long firstStep;

  MetricLog(OutputFolder folder, Clock clock) {
    this(folder, clock, row -> {});
  }

  /** A log whose every figure is told to a listener as it comes. */
  MetricLog(OutputFolder folder, Clock clock, Consumer<MetricRow> listener) {
    this.folder = folder;
    this.clock = clock;
    this.listener = listener;
  }

  private Path metrics() {
    return folder.path("metrics");
  }

  private Path runs() {
    return folder.path("runs");
  }

  /** Begins after a step: removes what an earlier try logged beyond it. */
  void resume(long step) throws IOException {
    for (Path path : List.of(metrics(), runs())) {
      for (FileStatus file : folder.list(path)) {
        Matcher segment = SEGMENT.matcher(file.getPath().getName());
        if (!segment.matches() || Long.parseLong(segment.group(2)) > step) {
          folder.files().delete(file.getPath(), false);
        }
      }
    }
    rows.clear();
    firstStep = step + 1;
  }

  /** Logs figures at a step. */
  void log(long step, Map<String, Double> figures) throws IOException {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    if (step - firstStep >= SEGMENT_STEPS && step > last()) {
      flush();
    }
    figures.forEach(
        (name, value) -> {
          var row = new MetricRow(step, now, name, value);
          rows.add(row);
          listener.accept(row);
        });
  }

  private long last() {
    return rows.isEmpty() ? firstStep - 1 : rows.get(rows.size() - 1).step();
  }

  /** Writes what has been logged since the last flush. A checkpoint comes after it. */
  void flush() throws IOException {
    if (rows.isEmpty()) {
      return;
    }
    long lastStep = last();
    var lines = new StringBuilder();
    for (MetricRow row : rows) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("step", row.step());
      line.put("wall_time", row.wallTime().toString());
      line.put("name", row.name());
      line.put("value", row.value());
      lines.append(JSON.writeValueAsString(line)).append('\n');
    }
    String steps = String.format(Locale.ROOT, "%010d-%010d", firstStep, lastStep);
    folder.writeWhole(
        new Path(metrics(), "metrics-" + steps + ".jsonl"),
        lines.toString().getBytes(StandardCharsets.UTF_8));
    folder.writeWhole(
        new Path(runs(), "events.out.tfevents." + steps + ".distillery"),
        EventFile.of(rows.get(0).wallTime(), rows));
    rows.clear();
    firstStep = lastStep + 1;
  }

  /** The last value of each name that was flushed. */
  Map<String, Double> latest() throws IOException {
    Map<String, Double> latest = new LinkedHashMap<>();
    for (FileStatus file : folder.list(metrics())) {
      if (!file.getPath().getName().endsWith(".jsonl")) {
        continue;
      }
      try (var reader =
          new BufferedReader(
              new InputStreamReader(folder.files().open(file.getPath()), StandardCharsets.UTF_8))) {
        for (String line = reader.readLine(); line != null; line = reader.readLine()) {
          JsonNode row = JSON.readTree(line);
          latest.put(row.path("name").asText(), row.path("value").asDouble(Double.NaN));
        }
      }
    }
    return latest;
  }

  /** All that was logged and flushed, as rows of the table {@code metrics}. */
  Dataset<Row> table(SparkSession spark) {
    return spark
        .read()
        .schema(Tables.METRICS.schema())
        .option("pathGlobFilter", "*.jsonl")
        .json(metrics().toString());
  }
}
