package dev.distillery.training.tokens;

import dev.distillery.core.run.JobException;
import dev.distillery.core.run.ModelHash;
import dev.distillery.spark.warehouse.Table;
import dev.distillery.spark.warehouse.Tables;
import dev.distillery.spark.warehouse.Warehouse;
import dev.distillery.training.tokens.EncodeRows.Kind;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.hadoop.fs.FileStatus;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * Builds token tables, by Spark, and finds those that are built. The key is a hash of the bytes of
 * the tokenizer and its template, of all {@link TokenSettings}, and of the input's files with their
 * lengths and times: what has changed is built again, what has not is not.
 *
 * <p>Rows stand in the order of their files, by path and place; rows that come from no file, in the
 * order of their ids. So the table is the same on any number of partitions. No row is collected,
 * but for the windows of constant-length packing, of which the driver reads lengths only.
 */
public final class TokenTables {
  private final SparkSession spark;
  private final Warehouse warehouse;
  private final Consumer<String> notes;
  private final String tokenizer;
  private final TokenSettings settings;
  private final TokenStore store;

  /**
   * @param notes is told, for a person to read, what is built and what stands
   * @param tokenizer model, or folder of a tokenizer.json, by the driver's path; must be on the
   *     executors already
   */
  public TokenTables(
      SparkSession spark,
      Warehouse warehouse,
      Consumer<String> notes,
      String tokenizer,
      TokenSettings settings) {
    this.spark = spark;
    this.warehouse = warehouse;
    this.notes = notes;
    this.tokenizer = tokenizer;
    this.settings = settings;
    this.store = new TokenStore(warehouse, notes);
  }

  /**
   * One input as tokens.
   *
   * @param table its rows
   * @param counts what became of the input
   * @param rejects rows in the columns of {@link Tables#REJECTS} but the job's; empty where none
   *     was rejected
   * @param key of the table
   * @param reused whether it was there already
   */
  public record Built(
      TokenTable table,
      TokenCounts counts,
      Optional<Dataset<Row>> rejects,
      String key,
      boolean reused) {}

  /**
   * What a table would be.
   *
   * @param rows of it
   * @param tokens of all rows
   * @param learned tokens with a weight over 0
   * @param longest tokens of the longest row
   * @param counts what becomes of the input
   * @param shown the first rows
   */
  public record Plan(
      long rows,
      long tokens,
      long learned,
      int longest,
      TokenCounts counts,
      List<TokenSequence> shown) {
    public Plan {
      shown = List.copyOf(shown);
    }
  }

  /** The canonical tables that can be trained on. */
  public static List<Table> trainable() {
    return List.of(Tables.CONVERSATIONS, Tables.INSTRUCTIONS, Tables.DOCUMENTS, Tables.PREFERENCES);
  }

  /**
   * The table of an input: the one that was built before, or a new one.
   *
   * @param name of the input, for messages
   * @param rows in the columns of {@code table} at least; {@code weight}, a number, is what a row
   *     counts
   * @param table one of {@link #trainable}
   * @param owner names what the rows are where no files are behind them
   * @throws JobException if the input is empty, or nothing of it is left
   */
  public Built build(String name, Dataset<Row> rows, Table table, String owner) {
    Kind kind = kind(table);
    String key = key(rows, kind, owner);
    Optional<TokenManifest> before = store.find(key);
    if (before.isPresent()) {
      notes.accept("Tokens of " + name + " are there already: " + store.home(key));
      return built(before.get(), true);
    }
    String attempt = UUID.randomUUID().toString();
    org.apache.hadoop.fs.Path folder = store.parts(key, attempt);
    var work = new EncodedInput(rows, kind, tokenizer, settings);
    try {
      TokenCounts counts = work.counts(name);
      List<TokenPart> parts = work.write(Optional.of(folder.toString()), warehouse.hadoop());
      TokenManifest manifest =
          new TokenManifest(
              key, attempt, kind + " " + settings.describe(), parts, packed(counts, parts));
      checkRows(name, manifest);
      if (!counts.rejects().isEmpty()) {
        work.rejects().write().parquet(rejects(manifest).toString());
      }
      store.commit(manifest);
      return built(manifest, false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      warehouse.delete(folder);
      throw e;
    } finally {
      work.close();
    }
  }

  /**
   * What {@link #build} would make, without writing anything.
   *
   * @param show how many rows to give back
   */
  public Plan plan(String name, Dataset<Row> rows, Table table, int show) {
    var work = new EncodedInput(rows, kind(table), tokenizer, settings);
    try {
      TokenCounts counts = work.counts(name);
      List<TokenPart> parts = work.write(Optional.empty(), warehouse.hadoop());
      var manifest = new TokenManifest("", "", "", parts, packed(counts, parts));
      checkRows(name, manifest);
      return new Plan(
          parts.stream().mapToLong(TokenPart::rows).sum(),
          parts.stream().mapToLong(TokenPart::tokens).sum(),
          parts.stream().mapToLong(TokenPart::learned).sum(),
          parts.stream().mapToInt(TokenPart::longest).max().orElse(0),
          manifest.counts(),
          work.first(show));
    } finally {
      work.close();
    }
  }

  private static Kind kind(Table table) {
    return switch (table.name()) {
      case "conversations" -> Kind.CONVERSATIONS;
      case "instructions" -> Kind.INSTRUCTIONS;
      case "documents" -> Kind.DOCUMENTS;
      case "preferences" -> Kind.PREFERENCES;
      case "completions" -> Kind.COMPLETIONS;
      default ->
          throw new IllegalArgumentException("Rows of " + table.name() + " are not trained on");
    };
  }

  private org.apache.hadoop.fs.Path rejects(TokenManifest manifest) {
    return new org.apache.hadoop.fs.Path(store.parts(manifest.key(), manifest.folder()), "rejects");
  }

  private Built built(TokenManifest manifest, boolean reused) {
    return new Built(
        store.open(manifest),
        manifest.counts(),
        manifest.counts().rejects().isEmpty()
            ? Optional.empty()
            : Optional.of(spark.read().parquet(rejects(manifest).toString())),
        manifest.key(),
        reused);
  }

  private static TokenCounts packed(TokenCounts counts, List<TokenPart> parts) {
    long cut = parts.stream().mapToLong(TokenPart::cut).sum();
    long ends = parts.stream().mapToLong(TokenPart::ends).sum();
    long shared = parts.stream().mapToLong(TokenPart::shared).sum();
    return counts.plus(new TokenCounts(0, 0, 0, 0, 0, 0, 0, 0, cut, shared, ends, Map.of()));
  }

  /** Nothing is lost unsaid, and something is left. */
  private void checkRows(String name, TokenManifest manifest) {
    TokenCounts counts = manifest.counts();
    long rows = manifest.parts().stream().mapToLong(TokenPart::rows).sum();
    long tokens = manifest.parts().stream().mapToLong(TokenPart::tokens).sum();
    if (counts.tokensRead() + counts.endsAdded()
        != tokens + counts.tokensCut() + counts.tokensShared()) {
      throw new IllegalStateException(
          "%s: %s tokens were read and %s ends added, %s are in the table, %s were cut and %s are shared"
              .formatted(
                  name,
                  counts.tokensRead(),
                  counts.endsAdded(),
                  tokens,
                  counts.tokensCut(),
                  counts.tokensShared()));
    }
    if (rows == 0) {
      throw JobException.invalid(
          "%s: its %s tokens do not fill one row of --max-length %s; lower it, or pack otherwise"
              .formatted(name, counts.tokensRead(), settings.maxLength()));
    }
  }

  private String key(Dataset<Row> rows, Kind kind, String owner) {
    try {
      List<String> decisive = new ArrayList<>();
      decisive.add("token table " + TokenManifest.VERSION);
      decisive.add(kind.name());
      decisive.add(settings.describe());
      decisive.add(fingerprint(Path.of(tokenizer)));
      String[] files = rows.inputFiles();
      Arrays.sort(files);
      for (String file : files) {
        FileStatus status = status(file);
        decisive.add(status.getPath() + " " + status.getLen() + " " + status.getModificationTime());
      }
      if (files.length == 0) {
        decisive.add(owner);
      }
      return TokenStore.key(decisive);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private FileStatus status(String file) throws IOException {
    var path = new org.apache.hadoop.fs.Path(java.net.URI.create(file));
    return path.getFileSystem(warehouse.hadoop()).getFileStatus(path);
  }

  /** A hash of what makes tokens of text: a model's folder without its weights, or a whole file. */
  static String fingerprint(Path tokenizer) throws IOException {
    if (!Files.isDirectory(tokenizer)) {
      return ModelHash.of(tokenizer);
    }
    try (Stream<Path> all = Files.list(tokenizer)) {
      var result = new StringBuilder();
      for (Path file : all.filter(TokenTables::isOfTokenizer).sorted().toList()) {
        result.append(file.getFileName()).append(' ').append(ModelHash.of(file)).append('\n');
      }
      return result.toString();
    }
  }

  private static boolean isOfTokenizer(Path file) {
    String name = String.valueOf(file.getFileName());
    return Files.isRegularFile(file)
        && Stream.of(
                "tokenizer", "chat_template", "special_tokens", "added_tokens", "vocab", "merges")
            .anyMatch(name::startsWith);
  }
}
