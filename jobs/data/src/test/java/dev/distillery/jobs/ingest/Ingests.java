package dev.distillery.jobs.ingest;

import dev.distillery.core.run.OptionsBinder;
import dev.distillery.spark.testing.LocalSpark;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** Runs the job as its command line does, into a warehouse of its own. */
final class Ingests {
  private Ingests() {}

  /** Runs with options given as on a command line. */
  static IngestSummary run(Path warehouse, String... arguments) {
    Map<String, List<String>> given = new LinkedHashMap<>();
    given.put("warehouse", List.of(warehouse.toString()));
    for (int i = 0; i < arguments.length; i += 2) {
      given
          .computeIfAbsent(arguments[i].substring(2), unused -> new ArrayList<>())
          .add(arguments[i + 1]);
    }
    IngestOptions options = OptionsBinder.of(IngestOptions.class).bind(given);
    return new IngestJob().run(LocalSpark.session(), options);
  }

  static long figure(IngestSummary summary, String name) {
    return summary.figures().get(name).longValue();
  }

  /** The rows that a run wrote. */
  static Dataset<Row> table(IngestSummary summary, String name) {
    return LocalSpark.session().read().parquet(summary.tables().get(name).path());
  }
}
