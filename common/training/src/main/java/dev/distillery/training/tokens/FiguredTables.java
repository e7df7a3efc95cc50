package dev.distillery.training.tokens;

import dev.distillery.core.run.Progress;
import dev.distillery.spark.warehouse.Warehouse;
import dev.distillery.training.tokens.TokenTables.Built;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.apache.hadoop.fs.Path;
import org.apache.spark.SparkContext;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.util.LongAccumulator;
import org.apache.spark.util.SerializableConfiguration;

/**
 * Token tables whose rows have {@link RowFigures}: the rows of another table, in its order, written
 * once by Spark and found again by the keys of both. Its test is {@code TokenTablesTest}.
 */
final class FiguredTables {
  /** Another for other bytes of equal keys. */
  private static final String VERSION = "figures 1";

  /** Rows of a task at least: what is opened for fewer would not pay. */
  private static final long FEWEST = 8;

  /** Rows of a task at most: what is done is known by tasks. */
  private static final long MOST = 256;

  /** Tasks for each of the session's cores, where the rows suffice. */
  private static final long TASKS = 4;

  private final SparkContext context;
  private final Warehouse warehouse;
  private final Progress progress;
  private final TokenStore store;

  FiguredTables(SparkContext context, Warehouse warehouse, Progress progress) {
    this.context = context;
    this.warehouse = warehouse;
    this.progress = progress;
    this.store = new TokenStore(warehouse, progress::say);
  }

  /**
   * A table with figures: the one that was written before, or a new one.
   *
   * @param name of the input, for messages
   */
  Built of(String name, Built plain, RowFigures figures) {
    String key = TokenStore.key(List.of(VERSION, plain.key(), figures.key()));
    Optional<TokenManifest> before = store.find(key);
    if (before.isPresent()) {
      progress.say(
          "%s of %s are there already: %s".formatted(figures.name(), name, store.home(key)));
      return with(plain, before.get(), true);
    }
    String attempt = UUID.randomUUID().toString();
    Path folder = store.parts(key, attempt);
    try {
      List<TokenPart> parts = write(plain.table(), figures, folder);
      var manifest =
          new TokenManifest(
              key, attempt, figures.name() + " of " + plain.key(), parts, plain.counts());
      store.commit(manifest);
      return with(plain, manifest, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      warehouse.delete(folder);
      throw e;
    }
  }

  private Built with(Built plain, TokenManifest manifest, boolean reused) {
    return new Built(store.open(manifest), plain.counts(), plain.rejects(), manifest.key(), reused);
  }

  private List<TokenPart> write(TokenTable rows, RowFigures figures, Path folder) {
    LongAccumulator done = context.longAccumulator(figures.name());
    List<WriteFigures.Range> ranges = ranges(rows.size(), TASKS * context.defaultParallelism());
    progress.start(figures.name(), "rows", OptionalLong.of(rows.size()), 0);
    try (Progress.Ticking ticking =
        progress.follow(() -> Math.min(rows.size(), done.value()), () -> "")) {
      List<TokenPart> parts =
          JavaSparkContext.fromSparkContext(context)
              .parallelize(ranges, ranges.size())
              .mapPartitionsWithIndex(
                  new WriteFigures(
                      rows,
                      figures,
                      folder.toString(),
                      new SerializableConfiguration(warehouse.hadoop()),
                      done),
                  true)
              .collect();
      progress.finish(rows.size(), "");
      return parts;
    }
  }

  /** Neighbouring rows for each task, about as many for each. */
  private static List<WriteFigures.Range> ranges(long rows, long wanted) {
    long tasks = Math.max(1, Math.max(Math.min(wanted, rows / FEWEST), rows / MOST));
    List<WriteFigures.Range> ranges = new ArrayList<>();
    for (long task = 0; task < tasks; task++) {
      ranges.add(new WriteFigures.Range(task * rows / tasks, (task + 1) * rows / tasks));
    }
    return ranges;
  }
}
